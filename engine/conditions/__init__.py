"""From files and joints to the arrays that the networks take."""
