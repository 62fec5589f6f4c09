"""The version numbers that the add-on and the engine compare before they work together."""

ENGINE = "0.1.0"
# Increased when a message of the wire or a field of the job changes its meaning.
PROTOCOL = 1
JOB = 1
POSE = 1
