//! Labels and jumps: random programs, and the limits of short jumps.
