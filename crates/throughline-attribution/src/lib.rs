//! Attribution models over journeys, with intervals and conservation.
