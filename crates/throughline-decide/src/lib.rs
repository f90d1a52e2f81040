//! The best feasible action for everyone, under the rules of the team.
