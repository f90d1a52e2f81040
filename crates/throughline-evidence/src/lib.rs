//! Reading experiments: effects with intervals, health checks.
