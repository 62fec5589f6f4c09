"""From a job folder to the engine process, and its events back; knows nothing of scenes."""
