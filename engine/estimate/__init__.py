"""People in a still picture: their joints and silhouette, found without a rig."""
