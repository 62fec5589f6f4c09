"""`@ONE_RELEASE`: a test of our own arithmetic on what Blender renders; the other tests show that each release renders
it."""
import bpy
import pytest

ONE_RELEASE = pytest.mark.skipif(bpy.app.version[:2] != (4, 5), reason="it does not depend on Blender's release")
