"""People in a picture or a video: their joints and silhouettes, found without a rig."""
