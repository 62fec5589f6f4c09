"""A grey card under a lamp from one side, turned by 90 degrees between two frames: as the scene renders it, and what
the ball says at its place. The card is looked at through the scene's own colour management."""
import importlib
import math
import os

import bpy
import numpy as np

MODULE = "bl_ext.user_default.aa2_blender.gather."
SIDE = 0.4
FRAMES = (1, 2)                                 # at -45 and at +45 degrees
ALBEDO = 0.18


def make(scene, *, view, exposure=0.0, side=90.0, fill=0.3, strength=math.pi):
    """`side`: degrees of the lamp from the camera, to the left; `fill`: what the world adds to a white card."""
    scene.render.engine, scene.view_settings.view_transform, scene.view_settings.exposure = "CYCLES", view, exposure
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = strength, 0.05
    sun.rotation_euler = (math.pi / 2, 0, -math.radians(side))
    world = scene.world = bpy.data.worlds.new("fill")
    world.use_nodes = True
    next(node for node in world.node_tree.nodes if node.type == "BACKGROUND").inputs["Color"].default_value = (
        fill, fill, fill, 1)
    half = SIDE / 2
    mesh = bpy.data.meshes.new("card")
    mesh.from_pydata([(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("grey")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    matt, output = nodes.new("ShaderNodeBsdfDiffuse"), nodes.new("ShaderNodeOutputMaterial")
    matt.inputs["Color"].default_value = (ALBEDO, ALBEDO, ALBEDO, 1)
    material.node_tree.links.new(matt.outputs[0], output.inputs["Surface"])
    mesh.materials.append(material)
    card = bpy.data.objects.new("card", mesh)
    for frame, angle in zip(FRAMES, (-45, 45), strict=True):
        card.rotation_euler.z = math.radians(angle)
        card.keyframe_insert("rotation_euler", frame=frame)
    eye = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    eye.location, eye.rotation_euler = (0, -4, 0), (math.pi / 2, 0, 0)
    for thing in (sun, card, eye):
        scene.collection.objects.link(thing)
    scene.camera = eye
    scene.frame_set(1)
    return card


def normals():
    """Of the card on each frame, in the camera's axes. Turned by -45 degrees it faces the left, where the lamp is."""
    half = math.sqrt(0.5)
    return np.array([(-half, 0, -half), (half, 0, -half)])


def by_scene(scene, folder):
    """(2,) 0..255: the card on each frame, as the scene renders it into a picture for the display."""
    render, found = scene.render, []
    render.resolution_x = render.resolution_y = 64
    render.resolution_percentage = 100
    scene.cycles.samples, scene.cycles.use_denoising = 64, False
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGB"
    for frame in FRAMES:
        scene.frame_set(frame)
        render.filepath = os.path.join(folder, f"card{frame}.png")
        bpy.ops.render.render(write_still=True)
        picture = importlib.import_module(MODULE + "grey").read(render.filepath)
        found.append(float(255 * picture[30:34, 30:34, :3].mean()))
    return np.array(found)


def by_ball(scene, card, folder):
    """(2,) 0..255: a grey surface with the card's normals in the light of the ball at the card's place."""
    ball, lit_scene, sphere, stand = (importlib.import_module(MODULE + name) for name in (
        "ball", "lit_scene", "sphere", "stand"))
    here, found = stand.Stand(np.zeros(3), 0.1, np.array(scene.camera.matrix_world)), []
    for frame, normal in zip(FRAMES, normals(), strict=True):
        with lit_scene.lit_scene(scene, {card}) as lit:
            light = ball.rendered(lit, here, os.path.join(folder, "ball.png"), frame=frame).light
        found.append(float(255 * sphere.shown(light, normal[None]).mean()))
    return np.array(found)
