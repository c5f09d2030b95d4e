"""Where the signed density is below zero: intervals of one feature and boxes of several."""
