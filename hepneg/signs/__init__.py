"""Everything about the local mean sign ĝ(x): fit, calibration, closure, refined and resampled weights."""
