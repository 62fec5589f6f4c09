"""Procedural materials of the demo room: each function takes a name and colours (linear RGB), returns a bpy material.

No picture is loaded: textures come from Blender's own noise, wave and brick nodes, in object coordinates (metres).
"""
import bpy


class Shader:
    """A material's node tree while it is written: nodes by type, links by `set`."""

    def __init__(self, name):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.surface = self.tree.nodes["Principled BSDF"]

    def node(self, kind, properties=None, **inputs):
        """A node of `kind` (without the ShaderNode prefix); `inputs` name sockets, spaces written as underscores."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in (properties or {}).items():
            setattr(node, name, value)
        for name, value in inputs.items():
            self.set(node.inputs[name.replace("_", " ")], value)
        return node

    def set(self, socket, value):
        """Give a socket a constant or an output socket."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def principled(self, **inputs):
        for name, value in inputs.items():
            self.set(self.surface.inputs[name.replace("_", " ")], value)
        return self.material

    def place(self, scale=(1, 1, 1), turn=(0, 0, 0)):
        """Object coordinates, turned and scaled."""
        return self.node("Mapping", Vector=self.node("TexCoord").outputs["Object"], Scale=scale,
                         Rotation=turn).outputs["Vector"]

    def noise(self, vector, scale, detail=3.0, distortion=0.0):
        return self.node("TexNoise", Vector=vector, Scale=scale, Detail=detail,
                         Distortion=distortion).outputs["Fac"]

    def ramp(self, factor, *stops):
        """Colour ramp; stops are (position, linear RGB)."""
        ramp = self.node("ValToRGB", Fac=factor)
        elements = ramp.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(1.0)
        for element, (position, colour) in zip(elements, stops, strict=False):
            element.position, element.color = position, rgba(colour)
        return ramp.outputs["Color"]

    def mix(self, factor, a, b, blend="MIX"):
        """Colours mixed; factor 0..1 or an output."""
        node = self.node("Mix", {"data_type": "RGBA", "blend_type": blend})
        self.set(node.inputs["Factor"], factor)
        for socket, value in ((node.inputs[6], a), (node.inputs[7], b)):
            self.set(socket, value if isinstance(value, bpy.types.NodeSocket) else rgba(value))
        return node.outputs[2]

    def bump(self, height, strength, distance=0.01):
        return self.node("Bump", Height=height, Strength=strength, Distance=distance).outputs["Normal"]


def rgba(colour):
    return (*colour[:3], 1.0)


def plain(name, colour, roughness=0.5, **more):
    return Shader(name).principled(Base_Color=rgba(colour), Roughness=roughness, **more)


def plaster(name, colour):
    """A painted wall: slow clouds in the paint, fine roller grain."""
    s = Shader(name)
    where = s.place()
    clouds = s.ramp(s.noise(where, 1.3), (0.3, [0.88 * c for c in colour]), (0.7, [1.06 * c for c in colour]))
    return s.principled(Base_Color=clouds, Roughness=0.75, Normal=s.bump(s.noise(where, 90.0, 2.0), 0.18, 0.004))


def wood(name, light, dark, along=(1.2, 14.0, 14.0), roughness=0.4):
    """Grain that runs along the axis whose `along` is small."""
    s = Shader(name)
    where = s.place(along)
    grain = s.noise(where, 2.2, 6.0, 1.2)
    fine = s.noise(s.place([7 * a for a in along]), 3.0, 2.0)
    colour = s.mix(0.3, s.ramp(grain, (0.32, dark), (0.66, light)), s.ramp(fine, (0.35, dark), (0.6, light)))
    return s.principled(Base_Color=colour, Roughness=roughness, Normal=s.bump(grain, 0.08, 0.004))


def planks(name, light, dark):
    """A floor of long oak boards along x, each of its own tone, with dark joints."""
    s = Shader(name)
    where = s.place()
    bricks = s.node("TexBrick", {"offset": 0.37}, Vector=where, Color1=rgba(light), Color2=rgba(dark),
                    Mortar=rgba([0.2 * c for c in dark]), Scale=1.0, Mortar_Size=0.0025, Mortar_Smooth=0.4,
                    Bias=-0.1, Brick_Width=1.35, Row_Height=0.145)
    grain = s.noise(s.place((1.0, 16.0, 1.0)), 3.0, 7.0, 1.5)
    streaks = s.ramp(grain, (0.3, (0.55, 0.5, 0.45)), (0.62, (1.0, 1.0, 1.0)))
    colour = s.mix(0.75, bricks.outputs["Color"], streaks, "MULTIPLY")
    shine = s.node("MapRange", Value=grain, To_Min=0.28, To_Max=0.46).outputs["Result"]
    return s.principled(Base_Color=colour, Roughness=shine,
                        Normal=s.bump(bricks.outputs["Fac"], -0.3, 0.003))


def woven(name, ground, stripe):
    """A rug: bands across x, and a weave small enough to be felt only."""
    s = Shader(name)
    bands = s.node("TexWave", {"bands_direction": "X"}, Vector=s.place(), Scale=1.05, Distortion=0.0)
    edge = s.ramp(bands.outputs["Fac"], (0.0, ground), (0.78, ground), (0.8, stripe), (0.9, stripe), (0.92, ground))
    yarn = s.noise(s.place((60.0, 200.0, 60.0)), 1.0, 2.0)
    colour = s.mix(0.35, edge, s.ramp(yarn, (0.3, (0.5, 0.5, 0.5)), (0.7, (1.2, 1.2, 1.2))), "MULTIPLY")
    return s.principled(Base_Color=colour, Roughness=0.95, Normal=s.bump(yarn, 0.35, 0.004))


def glaze(name, colour, body):
    """Two-tone stoneware: glazed above a wavy line at the object's own z = 0, raw clay below."""
    s = Shader(name)
    z = s.node("SeparateXYZ", Vector=s.place()).outputs["Z"]
    line = s.node("Math", {"operation": "ADD"})
    s.set(line.inputs[0], z)
    s.set(line.inputs[1], s.node("MapRange", Value=s.noise(s.place(), 14.0), To_Min=-0.012,
                                 To_Max=0.012).outputs["Result"])
    above = s.node("MapRange", Value=line.outputs[0], From_Min=-0.001, From_Max=0.002).outputs["Result"]
    speckle = s.ramp(s.noise(s.place(), 160.0, 1.0), (0.28, [0.35 * c for c in colour]), (0.36, colour))
    rough = s.node("MapRange", Value=above, To_Min=0.8, To_Max=0.22).outputs["Result"]
    return s.principled(Base_Color=s.mix(above, body, speckle), Roughness=rough)


def painting(name, *colours):
    """An abstract picture: soft fields of the given colours."""
    s = Shader(name)
    field = s.noise(s.place((1.6, 1.6, 3.4)), 1.6, 1.5, 0.8)
    steps = [(0.30 + 0.4 * i / len(colours), c) for i, c in enumerate(colours)]
    ramp = s.ramp(field, *steps)
    s.tree.nodes[-1].color_ramp.interpolation = "CONSTANT"
    return s.principled(Base_Color=ramp, Roughness=0.8)
