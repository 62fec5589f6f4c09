"""sRGB -> CIE Lab, and CIEDE2000: how different two colours look to people (1 is just noticeable)."""
import numpy as np

# sRGB's primaries with its white, D65, at (1, 1, 1).
TO_XYZ = np.array(((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750),
                   (0.0193339, 0.1191920, 0.9503041)))
WHITE = np.array((0.95047, 1.0, 1.08883))


def lab(rgb):
    """(..., 3) sRGB 0..1 -> (..., 3) L*, a*, b* under D65 (CIE 15)."""
    rgb = np.asarray(rgb, float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def delta_e_2000(one, other):
    """CIEDE2000 of (..., 3) Lab colours, kL = kC = kH = 1 (Sharma, Wu, Dalal 2005, equations 2 to 22)."""
    l1, a1, b1 = np.moveaxis(np.asarray(one, float), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(other, float), -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean_c7 / (mean_c7 + 25.0 ** 7))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1 = np.degrees(np.arctan2(b1, stretch * a1)) % 360
    h2 = np.degrees(np.arctan2(b2, stretch * a2)) % 360
    grey = c1 * c2 == 0
    apart = h2 - h1
    near = np.abs(apart) <= 180 + 1e-6                      # opposite hues count as near, rounding or not
    turn = np.where(grey, 0, np.where(near, apart, apart - 360 * np.sign(apart)))
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = np.where(near, (h1 + h2) / 2, (h1 + h2 + np.where(h1 + h2 < 360, 360, -360)) / 2)
    mean_h = np.where(grey, h1 + h2, mean_h)
    t = (1 - 0.17 * np.cos(np.radians(mean_h - 30)) + 0.24 * np.cos(np.radians(2 * mean_h))
         + 0.32 * np.cos(np.radians(3 * mean_h + 6)) - 0.20 * np.cos(np.radians(4 * mean_h - 63)))
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    twist = np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2)))
    rt = -np.sin(twist) * 2 * np.sqrt(mean_c ** 7 / (mean_c ** 7 + 25.0 ** 7))
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh))
