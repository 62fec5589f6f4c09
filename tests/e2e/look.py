"""A bpy's Python runs this: it opens a .blend without the extension and prints its strips as JSON."""
import json
import sys

import bpy

bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
editor = bpy.context.scene.sequence_editor
found = editor.strips if hasattr(editor, "strips") else editor.sequences
print(json.dumps({strip.name: {"channel": strip.channel, "blend": strip.blend_type, "type": strip.type,
                               "folder": bpy.path.abspath(strip.directory), "start": int(strip.frame_start),
                               "frames": strip.frame_duration, "files": [e.filename for e in strip.elements]}
                  for strip in found}))
