"""The tests of the shapes of positive against negative events, and their null distributions."""
