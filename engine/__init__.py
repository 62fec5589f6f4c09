"""The engine: a job folder in, generated frames out; never imports bpy."""
