"""The procedural painter: a scene description in, a picture out.

`sample_scene(rng)` draws a description (a dict of attributes), `paint(scene, size)`
renders it. A picture is built as a stack of layers (anti-aliased masks with a colour
gradient); a style decides how the stack is put on paper: flat poster, watercolor,
pixel art, line art or neon. Coordinates are in 256ths of the picture's side, so the
same scene can be painted at any size.
"""
import math
import cv2
import numpy as np

cv2.setNumThreads(1)

PLACES = ["mountains", "sea", "desert", "forest", "city", "field", "space"]
TIMES = ["dawn", "day", "sunset", "night"]
STYLES = ["poster", "watercolor", "pixel", "line", "neon"]
THINGS = ["none", "house", "tree", "boat", "cactus", "lighthouse", "balloon", "birds",
          "windmill", "rocket"]
SKIES = ["sun", "moon", "stars", "clouds", "rainbow", "aurora"]
WEATHERS = ["clear", "rain", "snow", "fog"]
VARIANTS = {
    "mountains": ["plain", "snowy", "lake"], "sea": ["plain", "islands", "beach"],
    "desert": ["plain", "red", "mesa"], "forest": ["pine", "autumn", "round"],
    "city": ["plain", "river"], "field": ["grass", "wheat", "lavender", "poppy"],
    "space": ["nebula", "planet", "surface"],
}
COLORS = {
    "red": (0.87, 0.18, 0.17), "orange": (0.97, 0.54, 0.16), "yellow": (0.99, 0.82, 0.26),
    "green": (0.24, 0.62, 0.34), "blue": (0.18, 0.42, 0.83), "purple": (0.53, 0.30, 0.74),
    "pink": (0.96, 0.50, 0.66), "white": (0.97, 0.96, 0.93),
}
THING_COLORS = {
    "house": ["red", "white", "blue", "yellow"], "tree": ["green", "orange", "pink", "red"],
    "boat": ["red", "white", "blue", "yellow"], "cactus": ["green"],
    "lighthouse": ["red", "white", "blue"],
    "balloon": ["red", "yellow", "blue", "orange", "purple", "pink"],
    "birds": ["black"], "windmill": ["white", "red"], "rocket": ["red", "white", "blue"],
    "none": ["none"],
}
PLACE_THINGS = {
    "mountains": ["none", "house", "tree", "balloon", "birds", "boat", "windmill"],
    "sea": ["none", "boat", "boat", "lighthouse", "lighthouse", "birds", "balloon"],
    "desert": ["none", "cactus", "cactus", "balloon", "birds", "rocket", "tree"],
    "forest": ["none", "house", "house", "birds", "balloon", "none"],
    "city": ["none", "balloon", "birds", "tree", "rocket", "none"],
    "field": ["none", "house", "tree", "windmill", "balloon", "birds", "tree"],
    "space": ["none", "rocket", "rocket", "none", "balloon", "house", "lighthouse"],
}


def hx(s):
    s = s.lstrip("#")
    return np.array([int(s[i:i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def mix(a, b, t):
    return np.asarray(a, np.float32) * (1 - t) + np.asarray(b, np.float32) * t


def shade(c, f):
    """f < 0 darkens, f > 0 lightens."""
    c = np.asarray(c, np.float32)
    return c * (1 + f) if f < 0 else c + (1 - c) * f


# Sky gradients (zenith first) and the colour far land fades to.
SKY = {
    "day": [("#2f86d1", "#7fc3ee", "#e4f4f8"), ("#3fa7c9", "#a5dde3", "#fbf2da"),
            ("#2a74bb", "#74b9e6", "#f2edd8"), ("#5aaee0", "#b9e1f3", "#f7fbf4"),
            ("#1f8fb8", "#69c6d6", "#e9f7dd")],
    "dawn": [("#8a8fc7", "#dcb3cf", "#ffe1cb"), ("#93a6d8", "#f2bfcb", "#ffedcf"),
             ("#7fa0bf", "#cfc0dc", "#fde6d6"), ("#a99ad0", "#f0b6c4", "#ffe9d6"),
             ("#86b3cf", "#f0d2d8", "#fff1db")],
    "sunset": [("#3a2a63", "#c5456b", "#ff9448", "#ffd583"), ("#25305f", "#a43d6d", "#f3683f", "#ffbf57"),
               ("#5e294f", "#d8453a", "#ff8a38", "#ffd070"), ("#2b3568", "#8d4576", "#ec6a4f", "#fbbf72"),
               ("#472463", "#b93a78", "#ff6f55", "#ffb35c")],
    "night": [("#060a22", "#121f50", "#2b4a82"), ("#0a0f2e", "#20285f", "#47508f"),
              ("#03111f", "#0b2d48", "#1f5a75"), ("#110b2b", "#2b1d56", "#593c7c"),
              ("#050816", "#0f1a3d", "#234068")],
}
# Near-land colours by time; the list is indexed by place.
LAND = {
    "mountains": {"day": ["#2f5d62", "#37577d", "#4a5f4a", "#2b4d59"], "dawn": ["#5d5f8c", "#6a5a86", "#4f6c86"],
                  "sunset": ["#2a1a3f", "#35183a", "#231c45"], "night": ["#070d22", "#0a1230", "#08182a"]},
    "desert": {"day": ["#d98f4a", "#d9a25a", "#c97f45"], "dawn": ["#c98f86", "#bf8a93", "#d3a184"],
               "sunset": ["#7a2b35", "#8c3a2c", "#64264a"], "night": ["#1c1c44", "#241d48", "#142542"]},
    "forest": {"day": ["#1d4a37", "#22503f", "#2b5a35"], "dawn": ["#3f5a66", "#4a5273", "#3a6460"],
               "sunset": ["#2b1430", "#331a2a", "#1f1738"], "night": ["#040c18", "#061420", "#070a20"]},
    "city": {"day": ["#34526f", "#45597a", "#5a5a78"], "dawn": ["#5e5a86", "#6e6590", "#56698c"],
             "sunset": ["#241538", "#2c1638", "#1c1a3c"], "night": ["#060a1c", "#0a0c26", "#071322"]},
    "field": {"day": ["#5f9e3c", "#4f9a4a", "#7aa83a"], "dawn": ["#7f9a70", "#8a9a7a", "#6f9a86"],
              "sunset": ["#4a3a2a", "#4a2a35", "#3a3a2c"], "night": ["#0d2230", "#0f1f3a", "#0c2a2c"]},
}
SEA = {"day": [("#6fc6d8", "#11689a"), ("#8fd6d6", "#1a7f97"), ("#7cb9e0", "#1b5192")],
       "dawn": [("#f0c9c6", "#7286b4"), ("#f2d3c4", "#6f95ad"), ("#e3bfd2", "#7a76ad")],
       "sunset": [("#ffb060", "#4a2354"), ("#f98a5a", "#2b2458"), ("#ff9c6a", "#5a2148")],
       "night": [("#2b4f80", "#050b20"), ("#2a5f78", "#04121f"), ("#4a4f8c", "#0a0d2b")]}


class Layer:
    __slots__ = ("m", "x0", "y0", "c0", "c1", "kind", "line", "accent", "neon", "alpha")

    def __init__(self, m, x0, y0, c0, c1, kind, line, accent, neon, alpha):
        self.m, self.x0, self.y0, self.c0, self.c1 = m, x0, y0, c0, c1
        self.kind, self.line, self.accent, self.neon, self.alpha = kind, line, accent, neon, alpha


class Painter:
    def __init__(self, scene, size=256):
        self.sc = scene
        self.S = size
        self.k = size / 256.0
        self.rng = np.random.default_rng(scene["seed"])
        self.layers = []
        self.glows = []      # (x, y, radius, colour, strength)
        self.post = []       # callables run on the finished picture (before texture)
        self.time = scene["time"]
        r = self.rng
        pal = SKY[self.time]
        self.sky = [hx(c) for c in pal[r.integers(len(pal))]]
        self.haze = self.sky[-1]
        self.light = None

    # -- geometry -------------------------------------------------------------
    def u(self, a, b):
        return float(self.rng.uniform(a, b))

    def noise1(self, n, octaves=5, rough=0.5, base=3):
        out = np.zeros(n, np.float32)
        amp, f = 1.0, base
        t = np.linspace(0, 1, n)
        for _ in range(octaves):
            p = self.rng.random(f + 2).astype(np.float32)
            out += amp * np.interp(t * f, np.arange(f + 2), p)
            amp *= rough
            f *= 2
        out -= out.min()
        return out / (out.max() + 1e-6)

    def noise2(self, cells, octaves=3, h=None):
        S = self.S
        h = h or S
        out = np.zeros((S, S), np.float32)
        amp, tot = 1.0, 0.0
        for _ in range(octaves):
            g = self.rng.random((cells + 1, cells + 1), dtype=np.float32)
            out += amp * cv2.resize(g, (S, S), interpolation=cv2.INTER_CUBIC)
            tot += amp
            amp *= 0.5
            cells *= 2
        return np.clip(out / tot, 0, 1)

    # -- layers ---------------------------------------------------------------
    def add(self, m, c0, c1=None, kind="land", line=1, accent=0, neon=None, alpha=1.0):
        """m: uint8 mask of the whole picture."""
        x, y, w, h = cv2.boundingRect(m)
        if w == 0 or h == 0:
            return
        self.layers.append(Layer(m[y:y + h, x:x + w].astype(np.float32) / 255, x, y,
                                 np.asarray(c0, np.float32),
                                 np.asarray(c0 if c1 is None else c1, np.float32),
                                 kind, line, accent, neon, alpha))

    def blank(self):
        return np.zeros((self.S, self.S), np.uint8)

    def pts(self, p):
        return np.round(np.asarray(p, np.float64) * self.k * 16).astype(np.int32)

    def poly(self, p, m=None):
        m = self.blank() if m is None else m
        cv2.fillPoly(m, [self.pts(p)], 255, cv2.LINE_AA, 4)
        return m

    def polys(self, ps, m=None):
        m = self.blank() if m is None else m
        for p in ps:
            cv2.fillPoly(m, [self.pts(p)], 255, cv2.LINE_AA, 4)
        return m

    def ell(self, x, y, rx, ry=None, m=None, a0=0, a1=360, val=255):
        m = self.blank() if m is None else m
        ry = rx if ry is None else ry
        t = np.radians(np.linspace(a0, a1, 48))
        p = np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], 1)
        cv2.fillPoly(m, [self.pts(p)], val, cv2.LINE_AA, 4)
        return m

    def lines(self, ps, width, m=None):
        m = self.blank() if m is None else m
        w = max(1, int(round(width * self.k)))
        for p in ps:
            cv2.polylines(m, [self.pts(p)], False, 255, w, cv2.LINE_AA, 4)
        return m

    def ridge(self, ys, m=None):
        n = len(ys)
        xs = np.linspace(-2, 258, n)
        return self.poly(np.concatenate([np.stack([xs, ys], 1), [[260, 260], [-4, 260]]]), m)

    # -- sky ------------------------------------------------------------------
    def sky_part(self, hor):
        sc, r = self.sc, self.rng
        sk = sc["sky"]
        t = self.time
        self.hor = hor
        if "stars" in sk or (t == "night" and sc["weather"] == "clear" and sc["place"] != "city" and r.random() < 0.15):
            n = 70 if "stars" in sk else 14
            self.stars(n, hor + 10, big=7 if "stars" in sk else 1)
        if "aurora" in sk:
            self.aurora(hor)
        if "rainbow" in sk:
            self.rainbow(hor)
        if "sun" in sk:
            low = t in ("sunset", "dawn")
            x = self.u(60, 196)
            rad = self.u(20, 34) if low else self.u(16, 25)
            y = hor - self.u(2, 34) if low else self.u(38, 74)
            if t == "sunset" and r.random() < 0.35:
                rad = self.u(34, 48)
            c = COLORS[sc["sun_color"]]
            self.light = (x, y, rad, np.asarray(c, np.float32))
            self.glows.append((x, y, rad * 3.4, shade(c, 0.25), 0.50 if low else 0.38))
            self.add(self.ell(x, y, rad), shade(c, 0.18), c, kind="sun", accent=2, neon=c)
        if "moon" in sk:
            x, y = self.u(46, 210), self.u(36, 78)
            rad = self.u(15, 25)
            c = np.asarray({"white": (0.96, 0.96, 0.90), "yellow": (0.99, 0.90, 0.58), "red": (0.90, 0.36, 0.28),
                            "blue": (0.62, 0.80, 0.98)}[sc["moon_color"]], np.float32)
            self.light = (x, y, rad, c)
            self.glows.append((x, y, rad * 3.2, c, 0.33))
            m = self.ell(x, y, rad)
            if sc["moon_shape"] == "crescent":
                d = rad * self.u(0.42, 0.6)
                self.ell(x + d, y - d * 0.45, rad * 0.92, m=m, val=0)
                self.add(m, c, kind="moon", accent=2, neon=c)
            else:
                self.add(m, c, kind="moon", accent=2, neon=c)
                m2 = self.blank()
                for _ in range(4):
                    a, d = self.u(0, 6.28), self.u(0, 0.6) * rad
                    self.ell(x + d * math.cos(a), y + d * math.sin(a), rad * self.u(0.1, 0.24), m=m2)
                self.add(m2, shade(c, -0.13), kind="detail", line=0)
        if "clouds" in sk:
            self.clouds(hor)

    def stars(self, n, hor, big=5):
        r = self.rng
        m = self.blank()
        for _ in range(n):
            self.ell(self.u(2, 254), self.u(2, hor), self.u(0.5, 1.25), m=m)
        for _ in range(big):
            x, y, s = self.u(8, 248), self.u(8, hor * 0.8), self.u(2.5, 5.5)
            q = s * 0.22
            self.poly([(x, y - s), (x + q, y - q), (x + s, y), (x + q, y + q), (x, y + s), (x - q, y + q),
                       (x - s, y), (x - q, y - q)], m)
        c = np.array([1, 0.97, 0.86], np.float32)
        self.add(m, c, kind="star", line=0, accent=2, neon=c)

    def cloud_mask(self, x, y, w, m):
        h = w * self.u(0.16, 0.22)
        n = self.rng.integers(3, 6)
        for i in range(n):
            t = (i + 0.5) / n
            rr = h * (0.75 + 1.1 * math.sin(math.pi * t)) * self.u(0.8, 1.15)
            self.ell(x + (t - 0.5) * w * 0.8, y - rr * 0.35, rr, rr * 0.9, m)
        self.poly([(x - w * .5, y), (x - w * .42, y - h * .8), (x + w * .42, y - h * .8), (x + w * .5, y)], m)
        yy = int(y * self.k)
        m[yy:, max(0, int((x - w) * self.k)):int((x + w) * self.k)] = 0
        return m

    def clouds(self, hor):
        t = self.time
        base = {"day": (1, 1, 1), "dawn": (1, 0.93, 0.92), "sunset": (1.0, 0.66, 0.52), "night": (0.36, 0.42, 0.62)}[t]
        under = {"day": (0.80, 0.89, 0.95), "dawn": (0.93, 0.76, 0.82), "sunset": (0.72, 0.30, 0.44),
                 "night": (0.19, 0.23, 0.42)}[t]
        if self.sc["weather"] in ("rain", "snow"):
            base, under = mix(base, (.62, .66, .72), .55), mix(under, (.42, .46, .54), .6)
        n = int(self.rng.integers(2, 5))
        ys = np.sort(self.rng.uniform(26, max(60, hor * 0.8), n))
        for i, y in enumerate(ys):
            w = self.u(50, 105) * (0.75 + 0.4 * (1 - y / 200))
            x = self.u(10, 246)
            m = self.cloud_mask(x, y, w, self.blank())
            self.add(m, base, under, kind="cloud", neon=mix(base, (0.6, 0.8, 1), .5), alpha=0.93)

    def rainbow(self, hor):
        x, y, rad = self.u(85, 175), hor + self.u(8, 30), self.u(95, 125)
        cols = ["#e4483f", "#f6913f", "#f8d94e", "#5dbb63", "#4a90d9", "#7d5bb5"]
        w = 5.0
        for i, c in enumerate(cols):
            m = self.ell(x, y, rad - i * w)
            self.ell(x, y, rad - (i + 1) * w, m=m, val=0)
            self.add(m, shade(hx(c), 0.12), kind="rainbow", line=0, accent=2, neon=hx(c), alpha=0.8)

    def aurora(self, hor):
        S = self.S
        r = self.rng
        yy = np.arange(S, dtype=np.float32)[:, None] / self.k
        cols = [(0.25, 0.95, 0.62), (0.30, 0.88, 0.85), (0.68, 0.42, 0.95)]
        for i in range(int(r.integers(2, 4))):
            base = hor * self.u(0.45, 0.8) + 28 * (self.noise1(S, 2, 0.5, 2) - 0.5)
            hgt = 45 + 50 * self.noise1(S, 3, 0.6, 4)
            streak = 0.55 + 0.45 * self.noise1(S, 2, 0.7, 26)
            d = (base[None] - yy) / hgt[None]
            a = np.where(d > 0, np.exp(-2.3 * d), np.exp(9 * d)) * streak[None]
            m = np.clip(a * 215, 0, 255).astype(np.uint8)
            c = np.asarray(cols[int(r.integers(3))], np.float32) if i else np.asarray(cols[0], np.float32)
            self.add(m, mix(c, cols[2], .5), c, kind="aurora", line=0, neon=c, alpha=0.75)

    # -- places ---------------------------------------------------------------
    def landcol(self, depth, base=None):
        """depth 0 = far (hazy), 1 = near."""
        if base is None:
            base = self.near
        return mix(self.haze, base, 0.22 + 0.78 * depth)

    def choose_near(self, place):
        l = LAND[place][self.time]
        self.near = hx(l[self.rng.integers(len(l))])
        return self.near

    def snow_tint(self, c, f=0.75):
        w = {"day": (0.94, 0.97, 1.0), "dawn": (0.96, 0.90, 0.95), "sunset": (0.80, 0.60, 0.70),
             "night": (0.42, 0.50, 0.72)}[self.time]
        return mix(c, w, f)

    def peaks(self, top, base, n, col, snow):
        """A row of faceted peaks: a lit side, a shadow side, perhaps snow."""
        r = self.rng
        xs = np.linspace(-20, 276, n + 1)[:-1] + (296 / n) * (0.5 + r.uniform(-0.28, 0.28, n))
        hs = r.uniform(0.45, 1.0, n)
        hs[r.integers(n)] = 1.0
        py = base - (base - top) * hs
        vx = np.concatenate([[-40], (xs[1:] + xs[:-1]) / 2 + r.uniform(-6, 6, n - 1), [296]])
        vy = np.concatenate([[base - 10], base - (base - top) * np.minimum(hs[1:], hs[:-1]) * r.uniform(0.25, 0.6, n - 1),
                             [base - 10]])

        def jag(a, b, steps, amp):
            t = np.linspace(0, 1, steps + 1)[:, None]
            p = np.asarray(a) * (1 - t) + np.asarray(b) * t
            p[1:-1] += r.normal(0, amp, (steps - 1, 2)) if steps > 1 else 0
            return p
        outline = []
        rights = []
        for i in range(n):
            up = jag((vx[i], vy[i]), (xs[i], py[i]), 6, 1.6)
            dn = jag((xs[i], py[i]), (vx[i + 1], vy[i + 1]), 6, 1.6)
            outline += [up[:-1], dn[:-1]]
            rights.append(dn)
        pl = np.concatenate(outline + [[(296, base)], [(300, 300)], [(-40, 300)]])
        m = self.poly(pl)
        lit = mix(col, self.sky[-1] if self.time != "night" else (0.55, 0.65, 0.9), 0.20)
        self.add(m, lit, mix(lit, self.haze, 0.35), kind="land", neon=(0.35, 0.75, 1.0))
        sh = self.blank()
        for i in range(n):
            foot = (xs[i] + r.uniform(-8, 8), base + 6)
            mid = jag((xs[i], py[i]), foot, 5, 4.0)
            self.poly(np.concatenate([rights[i], [(vx[i + 1], base + 6)], mid[::-1]]), sh)
        sh = cv2.min(sh, m)
        self.add(sh, shade(col, -0.16), mix(col, self.haze, 0.25), kind="detail", line=0)
        if snow:
            caps, capsh = self.blank(), self.blank()
            for i in range(n):
                hgt = (base - py[i])
                if hgt < 30:
                    continue
                d = hgt * r.uniform(0.30, 0.45)
                q = np.array([[xs[i] - 70, py[i] + d]] + [[xs[i] - 70 + 140 * (j + .5) / 13,
                             py[i] + d * (1.25 if j % 2 else 0.72) + r.normal(0, d * .08)] for j in range(13)]
                             + [[xs[i] + 70, py[i] + d], [xs[i] + 70, py[i] - 30], [xs[i] - 70, py[i] - 30]])
                lo, hi = (vx[i] + xs[i]) / 2 - 30, (vx[i + 1] + xs[i]) / 2 + 30
                q[:, 0] = np.clip(q[:, 0], min(lo, xs[i] - 8), max(hi, xs[i] + 8))
                self.poly(q, caps)
            caps = cv2.min(caps, m)
            capsh = cv2.min(caps, sh)
            w = self.snow_tint(lit, 0.88)
            self.add(caps, w, kind="detail", line=1, neon=(0.85, 0.95, 1))
            self.add(capsh, mix(w, self.sky[0], 0.28), kind="detail", line=0)

    def pines(self, xs, ys, hs, col, m=None, tiers=3):
        ps = []
        for x, y, h in zip(xs, ys, hs):
            w = h * 0.30
            for i in range(tiers):
                t = i / tiers
                ww = w * (1 - 0.28 * (tiers - 1 - i) * 3 / tiers)
                yt = y - h + h * 0.80 * t * 0.82
                yb = y - h + h * (0.36 + 0.56 * (i / max(1, tiers - 1)))
                ps.append([(x, yt), (x + ww, yb), (x - ww, yb)])
            ps.append([(x - h * .035, y - h * .1), (x + h * .035, y - h * .1), (x + h * .035, y), (x - h * .035, y)])
        m = self.polys(ps, m)
        return m

    def hills(self, y, amp, col, col2=None, base=2, oct=2, **kw):
        ys = y - amp * (self.noise1(80, oct, 0.4, base) - 0.5)
        m = self.ridge(ys)
        self.add(m, col, col2, **kw)
        return ys, m

    def water(self, y0, deep=None, neon=(0.2, 0.8, 1.0)):
        r = self.rng
        l = SEA[self.time]
        a, b = l[r.integers(len(l))]
        a, b = mix(hx(a), self.haze, 0.25), hx(b)
        m = self.poly([(-4, y0), (260, y0), (260, 260), (-4, 260)])
        self.add(m, a, b, kind="water", neon=neon)
        self.wat = (a, b)
        # glitter under the light, then long wave strokes
        if self.light is not None:
            x, _, rad, c = self.light
            ps = []
            for i in range(16):
                t = i / 16
                y = y0 + 3 + (252 - y0) * t ** 1.15
                w = rad * (0.95 - 0.25 * t) * self.u(0.35, 1.1) * (1 + 0.5 * t)
                h = 0.9 + 2.2 * t
                xx = x + self.u(-5, 5) * (1 + t)
                ps.append([(xx - w, y), (xx, y - h), (xx + w, y), (xx, y + h)])
            self.add(self.polys(ps), shade(c, 0.25), c, kind="glint", line=0, accent=2, neon=c, alpha=0.85)
        ps = []
        for i in range(int(r.integers(9, 16))):
            t = self.u(0.02, 1) ** 1.2
            y = y0 + 4 + (250 - y0) * t
            w, h = self.u(10, 26) * (0.5 + t), 0.5 + 1.2 * t
            xx = self.u(0, 256)
            ps.append([(xx - w, y), (xx, y - h), (xx + w, y), (xx, y + h)])
        self.add(self.polys(ps), mix(a, (1, 1, 1), .25), mix(b, a, .5), kind="wave", line=2, alpha=0.6, neon=neon)

    def place_mountains(self):
        v = self.sc["variant"]
        hor = self.u(168, 186)
        self.choose_near("mountains")
        self.sky_part(hor - 34 if self.time in ("dawn", "sunset") else hor)
        snow = v == "snowy" or self.sc["weather"] == "snow" or (v == "lake" and self.rng.random() < .5)
        if self.rng.random() < 0.7:
            self.peaks(self.u(84, 112), hor, 6, self.landcol(0.18), False)
        self.peaks(self.u(54, 92), hor + 6, int(self.rng.integers(3, 5)), self.landcol(0.55), snow)
        near = self.near if v != "snowy" else self.snow_tint(self.near, .0)
        if v == "lake":
            self.pine_row(hor, 5, 9, self.landcol(0.8))
            self.water(hor)
            self.surface = ("water", hor + 38)
            if self.rng.random() < .6:
                self.bank(near)
        else:
            c = self.landcol(0.75)
            if self.sc["weather"] == "snow":
                c = self.snow_tint(c, .7)
            ys, _ = self.hills(hor + 2, 16, c, self.landcol(.9) if self.sc["weather"] != "snow" else c, neon=(.5, .4, 1))
            self.pine_row(hor + 6, 9, 17, self.landcol(0.92))
            c = self.near
            if self.sc["weather"] == "snow":
                c = self.snow_tint(c, .85)
            g = {"day": "#3f7a45", "dawn": "#6f8a78", "sunset": "#2a1a30", "night": "#08131f"}[self.time]
            if self.sc["weather"] != "snow":
                c = mix(c, hx(g), 0.7)
            self.hills(hor + 34, 22, shade(c, .08), shade(c, -.22), neon=(.9, .3, .9))
            self.surface = ("land", hor + 44)
            if self.rng.random() < .5:
                side = self.rng.random() < .5
                xs = self.rng.uniform(0, 50, 4) if side else self.rng.uniform(206, 256, 4)
                self.add(self.pines(xs, 262 + 0 * xs, self.rng.uniform(55, 95, 4), None), shade(self.near, -.35),
                         kind="land", neon=(.2, .9, .6))

    def bank(self, col):
        r = self.rng
        c = shade(col, -.3)
        ys = 244 - 14 * self.noise1(60, 3, .5, 2)
        self.add(self.ridge(ys), c, kind="land", neon=(.2, .9, .6))
        side = r.random() < .5
        xs = r.uniform(-5, 60, 5) if side else r.uniform(196, 261, 5)
        self.add(self.pines(xs, 258 + 0 * xs, r.uniform(50, 90, 5), None), c, kind="land", neon=(.2, .9, .6))

    def pine_row(self, y, h0, h1, col):
        xs = np.arange(-4, 262, self.u(5, 8)) + self.rng.normal(0, 2, 1)
        xs = xs + self.rng.normal(0, 2, len(xs))
        keep = self.noise1(len(xs), 3, .5, 3) > 0.28
        xs = xs[keep]
        hs = self.rng.uniform(h0, h1, len(xs))
        self.add(self.pines(xs, y + 3 + 0 * xs, hs, col, tiers=2), col, kind="land", line=1, neon=(.2, .8, .6))

    def place_sea(self):
        v = self.sc["variant"]
        hor = self.u(128, 160)
        self.near = hx({"day": "#2d5a4a", "dawn": "#5f6688", "sunset": "#2b1838", "night": "#060d20"}[self.time])
        self.sky_part(hor)
        if v == "islands" or self.rng.random() < .25:
            for _ in range(2 if v == "islands" else 1):
                w = self.u(36, 80)
                x = self.u(0, 256)
                n = self.noise1(24, 4, .55, 2) * np.sin(np.linspace(0, math.pi, 24)) ** .7
                p = [(x - w + 2 * w * i / 23, hor + 1 - n[i] * w * self.u(.42, .5)) for i in range(24)]
                self.add(self.poly(p + [(x + w, hor + 2), (x - w, hor + 2)]), self.landcol(self.u(.25, .6)),
                         kind="land", neon=(.6, .4, 1))
        self.water(hor)
        self.surface = ("water", hor + self.u(34, 56))
        if v == "beach":
            sand = hx({"day": "#f0d9a0", "dawn": "#e8c9b4", "sunset": "#c77a5a", "night": "#3a3f63"}[self.time])
            y = self.u(218, 232)
            ys = y + 16 * np.sin(np.linspace(0, self.u(2, 4), 60) + self.u(0, 6))
            self.add(self.ridge(ys - 5), shade(sand, .6), kind="foam", line=1, alpha=.8, neon=(.8, 1, 1))
            self.add(self.ridge(ys), sand, shade(sand, -.12), kind="land", neon=(1, .8, .4))
            self.beach = True

    def place_desert(self):
        v = self.sc["variant"]
        hor = self.u(140, 164)
        self.choose_near("desert")
        if v == "red":
            self.near = mix(self.near, {"day": (.78, .30, .18), "dawn": (.75, .42, .40), "sunset": (.55, .10, .12),
                                        "night": (.24, .09, .22)}[self.time], .75)
        self.sky_part(hor)
        if v == "mesa":
            for _ in range(3):
                x, w, h = self.u(10, 246), self.u(16, 44), self.u(24, 58)
                p = [(x - w * 1.5, hor + 12), (x - w, hor - h * .45), (x - w * .92, hor - h), (x + w * .92, hor - h + self.u(-3, 3)),
                     (x + w, hor - h * .45), (x + w * 1.5, hor + 12)]
                c = mix(self.landcol(.5), (.62, .26, .18), .35 if self.time == "day" else .1)
                m = self.poly(p)
                self.add(m, c, mix(c, self.haze, .3), kind="land", neon=(1, .45, .4))
                s = cv2.min(self.poly([(x + w * .2, hor - h - 4), (x + w * .35, hor + 12), (x + w * 1.6, hor + 12), (x + w, hor - h - 4)]), m)
                self.add(s, shade(c, -.2), mix(c, self.haze, .2), kind="detail", line=0)
        n = 4
        for i in range(n):
            d = i / (n - 1)
            y = hor + 4 + (78 * d ** 1.1)
            a = self.u(10, 18) + 14 * d
            ph = self.u(0, 6.28)
            x = np.linspace(0, 1, 90)
            ys = y - a * (0.5 * np.sin(x * self.u(3.5, 6) + ph) + 0.28 * np.abs(np.sin(x * self.u(3, 5) + ph * 2)))
            c = self.landcol(.25 + .75 * d)
            lit = mix(c, self.haze, .22)
            m = self.ridge(ys)
            self.add(m, lit, shade(c, -.04), kind="land", neon=(1, .5 - .2 * d, .25 + .4 * d))
            # the shadow side: below the crest, displaced
            x0 = self.u(-40, 140)
            k = np.linspace(0, 1, 30)
            px = x0 + 120 * k
            yy = np.interp(px, np.linspace(-2, 258, 90), ys)
            low = yy + 34 * np.sin(k * math.pi) ** 1.4 * (1 + d)
            s = cv2.min(self.poly(np.concatenate([np.stack([px, yy - 2], 1), np.stack([px[::-1] + 16, low[::-1]], 1)])), m)
            self.add(s, shade(c, -.17), shade(c, -.05), kind="detail", line=0)
        self.surface = ("land", self.u(212, 224))

    def place_forest(self):
        v = self.sc["variant"]
        r = self.rng
        hor = self.u(150, 172)
        self.choose_near("forest")
        t = self.time
        if v == "autumn":
            self.near = mix(self.near, {"day": (.78, .38, .12), "dawn": (.70, .44, .34), "sunset": (.45, .13, .10),
                                        "night": (.22, .10, .12)}[t], .8)
        self.sky_part(hor - 30)
        if self.rng.random() < .5:
            self.hills(hor - 34, 40, self.landcol(.08), self.landcol(.0), base=2, oct=3, neon=(.4, .5, 1))
        snow = self.sc["weather"] == "snow"
        n = 4
        for i in range(n):
            d = i / (n - 1)
            y = hor + 4 + 62 * d
            h0 = 40 + 46 * d
            c = self.landcol(.12 + .80 * d)
            step = 10 + 11 * d
            xs = np.arange(-10, 270, step) + r.normal(0, step * .25, len(np.arange(-10, 270, step)))
            if d > .6:   # leave a clearing in front
                gap = self.u(90, 166)
                xs = xs[np.abs(xs - gap) > 36 + 26 * d]
                self.gap = gap
            hs = h0 * r.uniform(.75, 1.3, len(xs))
            yy = y + r.normal(0, 2, len(xs))
            m = self.blank()
            if v == "pine":
                self.pines(xs, yy, hs, c, m)
            else:
                for x, b, h in zip(xs, yy, hs):
                    self.poly([(x - h * .04, b), (x - h * .03, b - h * .5), (x + h * .03, b - h * .5), (x + h * .04, b)], m)
                    self.ell(x, b - h * .62, h * .24, h * .34, m)
            g = self.blank()
            self.ridge(y - 3 - 6 * self.noise1(40, 2, .5, 2), g)
            if v == "autumn" and d > .2:
                # individual trees in several warm hues
                self.add(cv2.max(m, g), c, shade(c, -.1), kind="land", neon=(1, .55, .2))
                m2 = self.blank()
                for x, b, h in zip(xs[::2], yy[::2], hs[::2]):
                    self.ell(x, b - h * .62, h * .24, h * .34, m2)
                self.add(m2, mix(c, (.93, .64, .2), .45 if t == "day" else .22), c, kind="detail", line=1, neon=(1, .75, .2))
            else:
                self.add(cv2.max(m, g), c if not snow else self.snow_tint(c, .35), shade(c, -.12), kind="land",
                         neon=(.15 + .2 * d, .95, .55))
        c = mix(self.near, {"day": (.36, .60, .26), "dawn": (.55, .62, .48), "sunset": (.22, .08, .14), "night": (.04, .10, .12)}[t], .55)
        if snow:
            c = self.snow_tint(c, .85)
        self.hills(222, 12, shade(c, .12), shade(c, -.15), neon=(.4, .9, .3))
        self.surface = ("land", 230)
        self.thing_x = getattr(self, "gap", 128)
        if r.random() < .5 and self.sc["thing"] == "none":
            x = self.thing_x
            p = mix(c, (.90, .80, .60) if t in ("day", "dawn") else self.haze, .5)
            self.add(self.poly([(x - 3, 217), (x + 4, 217), (x + 22, 236), (x + 30, 260), (x - 36, 260), (x - 14, 236)]),
                     p, kind="detail", line=1, neon=(.9, .8, .5))

    def skyline(self, y, h0, h1, w0, w1, col, windows, neon):
        r = self.rng
        x = -8.0
        ps, wins, tops = [], [], []
        while x < 262:
            w = self.u(w0, w1)
            h = self.u(h0, h1) * (1.0 + .35 * math.exp(-((x + w / 2 - 128) / 70) ** 2))
            p = [(x, y + 40), (x, y - h), (x + w, y - h), (x + w, y + 40)]
            ps.append(p)
            k = r.random()
            if k < .22:
                ps.append([(x + w * .2, y - h), (x + w * .5, y - h - w * .55), (x + w * .8, y - h)])
            elif k < .40:
                ps.append([(x + w * .25, y - h), (x + w * .25, y - h - 7), (x + w * .75, y - h - 7), (x + w * .75, y - h)])
            if k < .3 or k > .9:
                ps.append([(x + w * .5 - .8, y - h), (x + w * .5 - .8, y - h - self.u(12, 22)), (x + w * .5 + .8, y - h - 12),
                           (x + w * .5 + .8, y - h)])
            if windows:
                nx = max(1, int((w - 4) / 6))
                ny = int((h - 6) / 8)
                sx = (w - 4) / nx
                for i in range(nx):
                    for j in range(ny):
                        if r.random() < windows:
                            a, b = x + 2 + sx * (i + .28), y - h + 5 + 8 * j
                            wins.append([(a, b), (a + sx * .5, b), (a + sx * .5, b + 4), (a, b + 4)])
            x += w + (self.u(0, 3) if r.random() < .5 else -1.5)
        m = self.polys(ps)
        self.add(m, col, mix(col, self.haze, .25), kind="land", neon=neon)
        if wins:
            lit = {"day": shade(col, .38), "dawn": (1, .86, .66), "sunset": (1, .80, .42), "night": (1, .85, .48)}[self.time]
            self.add(self.polys(wins), lit, kind="window", line=2, accent=1, neon=(1, .85, .4),
                     alpha=.9 if self.time != "day" else .7)

    def place_city(self):
        hor = self.u(178, 196)
        self.choose_near("city")
        self.sky_part(hor - 40)
        dark = self.time in ("night", "sunset")
        self.skyline(hor, 52, 104, 10, 24, self.landcol(.15), 0, (.5, .3, .9))
        self.skyline(hor, 34, 88, 14, 30, self.landcol(.5), .30 if dark else .0, (.2, .7, 1))
        self.skyline(hor + 8, 20, 62, 20, 38, self.landcol(.95), .48 if dark else .55, (1, .3, .75))
        if self.sc["variant"] == "river":
            self.water(hor + 6)
            m = self.blank()
            ps = []
            for _ in range(26):
                x, y, l = self.u(4, 252), hor + 9, self.u(8, 40)
                ps.append([(x - 1.3, y), (x + 1.3, y), (x + .8, y + l), (x - .8, y + l)])
            if dark:
                self.add(self.polys(ps, m), (1, .84, .5), mix((1, .8, .5), self.wat[1], .7), kind="glint", line=0, alpha=.55, neon=(1, .5, .8))
            self.surface = ("water", hor + 40)
        else:
            c = shade(self.near, -.25)
            if self.time == "day":
                c = hx("#5a8f55")
            elif self.time == "dawn":
                c = hx("#7f9080")
            if self.sc["weather"] == "snow":
                c = self.snow_tint(c, .8)
            self.hills(hor + 12, 6, shade(c, .1), shade(c, -.2), neon=(.2, .9, .7))
            xs = np.arange(0, 262, 13.0) + self.rng.normal(0, 3, 21)
            m = self.blank()
            for x in xs:
                if self.rng.random() < .6:
                    self.ell(x, hor + 12, self.u(5, 9), self.u(5, 9), m)
            self.add(m, shade(c, -.18), kind="land", neon=(.2, .9, .5))
            self.surface = ("land", hor + 40)

    def place_field(self):
        v = self.sc["variant"]
        r = self.rng
        t = self.time
        hor = self.u(140, 164)
        self.choose_near("field")
        tone = {"grass": None, "wheat": (.93, .74, .27), "lavender": (.56, .40, .80), "poppy": None}[v]
        dim = {"day": 1.0, "dawn": .93, "sunset": .62, "night": .30}[t]
        if tone is not None:
            c = np.asarray(tone, np.float32) * dim
            self.near = mix(self.near, c, .85 if t != "night" else .6)
        self.sky_part(hor)
        green = mix(hx(LAND["field"][t][0]), self.near, .15)
        self.hills(hor - 8, 34, mix(self.haze, green, .3), mix(self.haze, green, .4), base=2, neon=(.5, .5, 1))
        self.hills(hor + 4, 20, mix(self.haze, green, .6), mix(self.haze, green, .55), neon=(.3, .8, .9))
        m = self.blank()
        for _ in range(14):
            self.ell(self.u(0, 256), hor + self.u(2, 6), self.u(5, 12), self.u(4, 8), m)
        self.add(m, mix(self.haze, shade(green, -.35), .7), kind="land", neon=(.2, .9, .5))
        snow = self.sc["weather"] == "snow"
        c = self.near if not snow else self.snow_tint(self.near, .85)
        y = hor + 20
        ys, m = self.hills(y, 14, shade(c, .14), shade(c, -.14), neon=(.6, 1, .3) if tone is None else np.asarray(tone))
        if v in ("wheat", "lavender") or (v == "grass" and r.random() < .4):
            vx = self.u(60, 196)
            ps = []
            for a in np.arange(-420, 700, 44):
                ps.append([(vx + (a - vx) * .10, y - 4), (vx + (a + 18 - vx) * .10, y - 4), (a + 20, 262), (a, 262)])
            s = cv2.min(self.polys(ps), m)
            self.add(s, shade(c, -.08), shade(c, -.30), kind="detail", line=1, neon=shade(c, -.2) if tone is None else np.asarray(tone) * .8)
        if v in ("poppy", "lavender", "grass"):
            fc = {"poppy": (.90, .20, .15), "lavender": (.76, .62, .95), "grass": (.98, .93, .75)}[v]
            f = self.blank()
            n = 150 if v == "poppy" else 60 if v == "lavender" else 26
            for _ in range(n):
                k = self.u(0, 1) ** .75
                self.ell(self.u(0, 256), y + 10 + (250 - y) * k, .8 + 2.6 * k, .7 + 2.0 * k, f)
            f = cv2.min(f, m)
            self.add(f, np.asarray(fc) * (dim * .8 + .2) * (.85 if t == "night" else 1), kind="flower", line=0, accent=1, neon=fc)
        self.surface = ("land", y + self.u(36, 50))

    def place_space(self):
        v = self.sc["variant"]
        r = self.rng
        S = self.S
        pal = [("#05060f", "#0d1030", "#1d1440"), ("#030812", "#081c33", "#12324a"), ("#0a0414", "#200b38", "#3d1450"),
               ("#04040c", "#0c0a22", "#1a1838")]
        self.sky = [hx(c) for c in pal[r.integers(len(pal))]]
        self.haze = self.sky[-1]
        self.hor = 250
        neb = [((.85, .25, .60), (.30, .25, .85)), ((.20, .65, .85), (.40, .20, .75)), ((.95, .50, .30), (.60, .15, .50)),
               ((.25, .80, .60), (.15, .35, .75))][r.integers(4)]
        str_ = 1.0 if v == "nebula" else .45
        for i, c in enumerate(neb):
            n = self.noise2(3, 4)
            n = np.clip((n - .47) * 3.2, 0, 1)
            self.add((n * 255 * str_).astype(np.uint8), c, kind="aurora", line=0, neon=c, alpha=.72)
        self.stars(110, 256, big=10)

        def planet(x, y, rad, c, ring):
            c = np.asarray(c, np.float32)
            if ring:
                t = np.radians(np.linspace(180, 360, 40))
                self.add(self.ring(x, y, rad, t), shade(c, .35), kind="detail", line=1, neon=shade(c, .4), alpha=.9)
            m = self.ell(x, y, rad)
            self.glows.append((x, y, rad * 1.9, c, .28))
            self.add(m, shade(c, .22), c, kind="planet", accent=2, neon=c)
            b = self.blank()
            for i in range(3):
                yy = y + rad * (-.5 + .45 * i + self.u(-.1, .1))
                self.poly([(x - rad, yy), (x + rad, yy + rad * .12), (x + rad, yy + rad * .3), (x - rad, yy + rad * .18)], b)
            self.add(cv2.min(b, m), shade(c, -.14), kind="detail", line=1, neon=shade(c, -.3))
            sh = m.copy()
            self.ell(x - rad * .32, y - rad * .28, rad * 1.08, m=sh, val=0)
            self.add(sh, shade(c, -.62), kind="detail", line=0, alpha=.75)
            if ring:
                t = np.radians(np.linspace(0, 180, 40))
                self.add(self.ring(x, y, rad, t), shade(c, .45), kind="detail", line=1, neon=shade(c, .5))
        cols = [(.90, .45, .30), (.30, .62, .85), (.85, .70, .45), (.62, .40, .80), (.35, .75, .62), (.88, .50, .62)]
        if "sun" in self.sc["sky"]:
            x, y, rad = self.u(50, 206), self.u(40, 80), self.u(20, 30)
            c = COLORS[self.sc["sun_color"]]
            self.light = (x, y, rad, np.asarray(c, np.float32))
            self.glows.append((x, y, rad * 4, c, .6))
            self.add(self.ell(x, y, rad), shade(c, .3), c, kind="sun", accent=2, neon=c)
        if v == "planet":
            planet(self.u(70, 186), self.u(80, 160), self.u(38, 58), cols[r.integers(6)], r.random() < .55)
            if r.random() < .6:
                planet(self.u(20, 236), self.u(24, 60), self.u(8, 15), cols[r.integers(6)], False)
        if v == "surface":
            if r.random() < .75 and self.light is None:
                planet(self.u(50, 206), self.u(50, 96), self.u(24, 42), cols[r.integers(6)], r.random() < .45)
            g = hx(["#8d8fa3", "#a9765f", "#7f86a8", "#9a8a92"][r.integers(4)])
            y = self.u(176, 196)
            self.hills(y, 18, mix(g, self.haze, .55), mix(g, self.haze, .7), oct=3, neon=(.6, .5, 1))
            ys, m = self.hills(y + 20, 12, g, shade(g, -.45), neon=(.8, .7, 1))
            for _ in range(7):
                k = self.u(0, 1)
                x, yy, w = self.u(0, 256), y + 30 + (246 - y - 30) * k, 6 + 16 * k * self.u(.5, 1)
                self.add(cv2.min(self.ell(x, yy, w, w * .33), m), shade(g, -.38), shade(g, -.2), kind="detail", line=1, neon=(.6, .5, .9))
            self.surface = ("land", y + 42)
        else:
            self.surface = ("float", 150)

    def ring(self, x, y, rad, t):
        a, b = rad * 1.75, rad * .42
        o = np.stack([x + a * np.cos(t), y + b * np.sin(t)], 1)
        i = np.stack([x + a * .78 * np.cos(t), y + b * .78 * np.sin(t)], 1)
        th = -.28
        R = np.array([[math.cos(th), -math.sin(th)], [math.sin(th), math.cos(th)]])
        p = np.concatenate([o, i[::-1]]) - [x, y]
        return self.poly(p @ R.T + [x, y])

    # -- things ---------------------------------------------------------------
    def lit(self, c):
        """A thing's colour under the time's light."""
        tint = {"day": (1, 1, 1), "dawn": (1.0, .93, .95), "sunset": (.90, .66, .66), "night": (.55, .60, .82)}[self.time]
        if self.sc["place"] == "space":
            tint = (1, .98, 1)
        c = np.clip(np.asarray(c, np.float32) * np.asarray(tint, np.float32), 0, 1)
        return c

    def thing(self):
        th = self.sc["thing"]
        if th == "none":
            return
        kind, y = self.surface
        c0 = self.sc["thing_color"]
        c = np.asarray(COLORS.get(c0, (.12, .12, .16)), np.float32)
        x = getattr(self, "thing_x", None)
        if x is None:
            x = self.u(70, 186)
            if self.light is not None and self.sc["place"] != "space" and abs(x - self.light[0]) < 30 and self.rng.random() < .5:
                x = np.clip(256 - self.light[0], 60, 196)
        else:
            x += self.u(-8, 8)
        getattr(self, "th_" + th)(x, y, kind, c)

    def part(self, m, c, c1=None, **kw):
        kw.setdefault("kind", "thing")
        n = kw.pop("neon", None)
        c = self.lit(c)
        c1 = c if c1 is None else self.lit(c1)
        self.add(m, c, c1, neon=mix(np.asarray(c, np.float32), (1, 1, 1), .15) if n is None else n, **kw)

    def islet(self, x, y, w):
        c = shade(self.lit((.38, .36, .40)), -.1)
        n = self.noise1(16, 3, .5, 3)
        p = [(x - w + 2 * w * i / 15, y - (6 + 8 * n[i]) * math.sin(math.pi * i / 15) ** .6) for i in range(16)]
        self.add(self.poly(p + [(x + w, y + 3), (x - w, y + 3)]), c, shade(c, -.25), kind="land", neon=(.5, .6, 1))

    def shadow(self, x, y, w):
        self.add(self.ell(x, y, w, w * .16), (0, 0, .05), kind="shadow", line=0, alpha=.22)

    def th_house(self, x, y, kind, c):
        s = self.u(30, 42)
        if kind == "water":
            self.islet(x, y, s * 1.3)
            y -= 6
        if kind == "float":
            y = self.u(150, 180)
        self.shadow(x, y, s * 1.05)
        w, h = s, s * .85
        roof = (.55, .22, .18) if self.sc["thing_color"] in ("white", "yellow", "blue") else (.30, .26, .32)
        wx = x + w * .45
        self.part(self.poly([(wx, y - h * 1.75), (wx + s * .2, y - h * 1.75), (wx + s * .2, y - h * .9), (wx, y - h * .9)]), (.45, .30, .28))
        self.part(self.poly([(x - w, y), (x - w, y - h), (x + w, y - h), (x + w, y)]), c, shade(c, -.12), accent=1)
        self.part(self.poly([(x - w * .1, y), (x - w * .1, y - h), (x + w, y - h), (x + w, y)]), shade(c, -.14), line=1)
        self.part(self.poly([(x - w * 1.18, y - h * .95), (x - w * .72, y - h * 1.75), (x + w * .74, y - h * 1.75), (x + w * 1.18, y - h * .95)]),
                  roof, shade(roof, -.15), neon=(1, .4, .4))
        dark = self.time in ("night", "sunset") or self.sc["place"] == "space"
        wc = (1.0, .83, .40) if dark else (.75, .88, .95)
        q = w * .3
        ps = [[(a - q / 2, y - h * .72), (a + q / 2, y - h * .72), (a + q / 2, y - h * .34), (a - q / 2, y - h * .34)]
              for a in (x - w * .72, x - w * .3, x + w * .68)]
        self.add(self.polys(ps), np.asarray(wc) if dark else self.lit(wc), kind="window", line=1, accent=1, neon=(1, .85, .35))
        if dark:
            self.glows.append((x - w * .5, y - h * .5, s * 1.1, (1, .75, .35), .30))
        self.part(self.poly([(x + w * .1, y), (x + w * .1, y - h * .6), (x + w * .4, y - h * .6), (x + w * .4, y)]), (.36, .22, .18))

    def th_tree(self, x, y, kind, c):
        s = self.u(62, 88)
        if kind == "water":
            self.islet(x, y, s * .7)
            y -= 8
        if kind == "float":
            y = 190
        self.shadow(x, y, s * .45)
        tk = (.36, .24, .18)
        w = s * .07
        self.part(self.poly([(x - w * 1.7, y), (x - w * .8, y - s * .3), (x - s * .2, y - s * .62), (x - s * .14, y - s * .64), (x, y - s * .42),
                             (x + s * .16, y - s * .62), (x + s * .21, y - s * .58), (x + w * .8, y - s * .3), (x + w * 1.7, y)]), tk)
        m, hi = self.blank(), self.blank()
        for dx, dy, rr in [(-.27, .66, .24), (.27, .66, .24), (0, .86, .30), (-.16, .80, .26), (.17, .80, .26), (0, .64, .24)]:
            dx, dy = dx + self.u(-.03, .03), dy + self.u(-.03, .03)
            self.ell(x + dx * s, y - dy * s, rr * s, rr * s * .92, m)
            self.ell(x + dx * s - s * .06, y - dy * s - s * .07, rr * s * .62, rr * s * .5, hi)
        self.part(m, c, shade(c, -.28), accent=1)
        self.part(cv2.min(hi, m), shade(c, .18), c, line=0, kind="detail", alpha=.7)

    def th_boat(self, x, y, kind, c):
        s = self.u(36, 50)
        if kind == "land":
            y += 4
        hull = [(x - s, y - s * .32), (x + s * 1.05, y - s * .34), (x + s * .72, y + s * .08), (x - s * .72, y + s * .08)]
        if self.rng.random() < .75:   # sail boat
            sc = (.98, .96, .90) if self.sc["thing_color"] != "white" else (.95, .55, .40)
            self.part(self.poly([(x - s * .05, y - s * 2.05), (x + s * .03, y - s * 2.05), (x + s * .03, y - s * .3), (x - s * .05, y - s * .3)]), (.40, .28, .22))
            self.part(self.poly([(x + s * .08, y - s * 1.95), (x + s * .92, y - s * .48), (x + s * .08, y - s * .48)]), sc, shade(sc, -.1), neon=(.9, .95, 1))
            self.part(self.poly([(x - s * .10, y - s * 1.75), (x - s * .80, y - s * .48), (x - s * .10, y - s * .48)]), shade(sc, -.08), shade(sc, -.16), neon=(.9, .95, 1))
        else:                         # fishing boat
            self.part(self.poly([(x - s * .45, y - s * .3), (x - s * .45, y - s * .85), (x + s * .22, y - s * .85), (x + s * .30, y - s * .3)]), (.95, .93, .88), neon=(.9, .95, 1))
            self.part(self.poly([(x - s * .52, y - s * .82), (x - s * .52, y - s * .95), (x + s * .30, y - s * .95), (x + s * .30, y - s * .82)]), c)
            wc = (1, .82, .4) if self.time in ("night", "sunset") else (.45, .62, .75)
            self.add(self.polys([[(x - s * .34, y - s * .72), (x - s * .12, y - s * .72), (x - s * .12, y - s * .48), (x - s * .34, y - s * .48)],
                                 [(x - s * .02, y - s * .72), (x + s * .18, y - s * .72), (x + s * .18, y - s * .48), (x - s * .02, y - s * .48)]]),
                     wc, kind="window", line=1, neon=(1, .85, .4))
            self.part(self.poly([(x + s * .52, y - s * 1.3), (x + s * .58, y - s * 1.3), (x + s * .58, y - s * .3), (x + s * .52, y - s * .3)]), (.35, .25, .22))
        self.part(self.poly(hull), c, shade(c, -.25), accent=1)
        self.part(self.poly([(x - s, y - s * .32), (x + s * 1.05, y - s * .34), (x + s * 1.0, y - s * .24), (x - s * .92, y - s * .22)]), shade(c, .55), line=0)
        if kind == "water":
            wa = mix(self.wat[0], (1, 1, 1), .35)
            self.add(self.polys([[(x - s * 1.1, y + s * .08), (x, y + s * .03), (x + s * 1.1, y + s * .08), (x, y + s * .15)]]), wa, kind="wave", line=0, alpha=.8, neon=(.7, 1, 1))
            ps = [[(x - s * .6 * f, y + s * (.16 + .12 * i)), (x, y + s * (.13 + .12 * i)), (x + s * .6 * f, y + s * (.16 + .12 * i)), (x, y + s * (.2 + .12 * i))]
                  for i, f in enumerate((1, .75, .5))]
            self.add(self.polys(ps), self.lit(shade(c, -.2)), kind="glint", line=0, alpha=.45, neon=c)

    def th_cactus(self, x, y, kind, c):
        s = self.u(62, 84)
        c = np.asarray((.26, .56, .33), np.float32)
        self.shadow(x, y, s * .4)
        w = s * .105

        def arm(d, y0, l, up):
            m = self.blank()
            p = []
            r_ = w * .72
            x1 = x + d * l
            self.poly([(x, y0 - r_), (x1, y0 - r_), (x1, y0 + r_), (x, y0 + r_)], m)
            self.ell(x1, y0, r_, m=m)
            self.poly([(x1 - r_, y0), (x1 - r_, y0 - up), (x1 + r_, y0 - up), (x1 + r_, y0)], m)
            self.ell(x1, y0 - up, r_, m=m)
            return m
        m = self.poly([(x - w, y), (x - w, y - s), (x + w, y - s), (x + w, y)])
        self.ell(x, y - s, w, m=m)
        d = 1 if self.rng.random() < .5 else -1
        m = cv2.max(m, arm(d, y - s * self.u(.38, .48), s * self.u(.27, .33), s * self.u(.25, .36)))
        m = cv2.max(m, arm(-d, y - s * self.u(.52, .62), s * self.u(.25, .31), s * self.u(.2, .3)))
        self.part(m, shade(c, .06), shade(c, -.15), accent=1, neon=(.35, 1, .45))
        ps = [[(x + o * w - .6, y - s), (x + o * w + .6, y - s), (x + o * w + .6, y), (x + o * w - .6, y)] for o in (-.35, .35)]
        self.part(self.polys(ps), shade(c, -.3), line=1, kind="detail", neon=(.2, .7, .3))
        if self.rng.random() < .5:
            self.part(self.ell(x, y - s - w * 1.0, w * .55), (.95, .35, .55), neon=(1, .4, .7))

    def th_lighthouse(self, x, y, kind, c):
        s = self.u(92, 122)
        if kind == "water":
            self.islet(x, y + 2, s * .42)
            y -= 8
        elif kind == "float":
            y = 205
        a, b = s * .135, s * .09
        white = np.asarray((.96, .95, .92), np.float32)
        c2 = white if self.sc["thing_color"] != "white" else np.asarray((.78, .82, .86), np.float32)
        tower = self.poly([(x - a, y), (x - b, y - s * .76), (x + b, y - s * .76), (x + a, y)])
        self.part(tower, c2, shade(c2, -.1), neon=(.9, .95, 1))
        st = self.blank()
        for i in range(3):
            y0, y1 = y - s * (.08 + .25 * i), y - s * (.20 + .25 * i)
            self.poly([(x - a, y0), (x - a, y1), (x + a, y1), (x + a, y0)], st)
        self.part(cv2.min(st, tower), c, shade(c, -.08), accent=1)
        sh = cv2.min(self.poly([(x + b * .25, y - s), (x + a * .3, y), (x + a * 1.2, y), (x + b * 1.3, y - s)]), tower)
        self.add(sh, (0, 0, .08), kind="shadow", line=0, alpha=.16)
        self.part(self.poly([(x - b * 1.45, y - s * .76), (x + b * 1.45, y - s * .76), (x + b * 1.45, y - s * .80), (x - b * 1.45, y - s * .80)]), (.25, .24, .30), neon=(.8, .8, 1))
        on = self.time in ("night", "sunset") or self.sc["place"] == "space"
        ly = y - s * .855
        if on:
            d = 1 if x < 128 else -1
            beam = self.poly([(x, ly - 1), (x + d * 190, ly - 30), (x + d * 190, ly + 16), (x, ly + 1)])
            self.add(beam, (1, .93, .65), kind="beam", line=0, alpha=.30, neon=(1, .9, .5))
            self.glows.append((x, ly, s * .32, (1, .88, .5), .65))
        self.add(self.poly([(x - b * .78, y - s * .80), (x + b * .78, y - s * .80), (x + b * .78, y - s * .91), (x - b * .78, y - s * .91)]),
                 (1, .88, .45) if on else self.lit((.75, .88, .95)), kind="window", line=1, accent=1, neon=(1, .9, .4))
        self.part(self.poly([(x - b * 1.05, y - s * .91), (x, y - s * 1.03), (x + b * 1.05, y - s * .91)]), c if self.sc["thing_color"] != "white" else (.75, .25, .22), neon=(1, .4, .4))

    def th_balloon(self, x, y, kind, c):
        s = self.u(28, 40)
        y = self.u(62, 104)
        x = self.u(60, 196)
        if self.light is not None and abs(x - self.light[0]) < s + self.light[2] and abs(y - self.light[1]) < s + self.light[2]:
            x = self.light[0] + (s + self.light[2] + 14) * (1 if self.light[0] < 128 else -1)
        a = np.radians(np.linspace(160, 380, 30))
        top = np.stack([x + s * np.cos(a), y + s * np.sin(a)], 1)
        env = self.poly(np.concatenate([top, [(x + s * .22, y + s * 1.32), (x - s * .22, y + s * 1.32)]]))
        self.part(env, shade(c, .08), shade(c, -.18), accent=1)
        c2 = (.98, .94, .84) if self.sc["thing_color"] not in ("yellow",) else (.93, .42, .22)
        st = self.blank()
        for f in (-.62, 0, .62):
            t = np.linspace(-1, 1.32, 16)
            wd = np.sqrt(np.clip(1 - np.minimum(t, .0) ** 2, 0, 1)) * np.where(t > 0, 1 - .78 * (np.maximum(t, 0) / 1.32) ** 1.3, 1)
            l = np.stack([x + s * (f - .16) * wd, y + s * t], 1)
            r_ = np.stack([x + s * (f + .16) * wd, y + s * t], 1)
            self.poly(np.concatenate([l, r_[::-1]]), st)
        self.part(cv2.min(st, env), c2, shade(c2, -.15), kind="detail", line=1)
        by = y + s * 1.72
        self.part(self.lines([[(x - s * .20, y + s * 1.3), (x - s * .15, by)], [(x + s * .20, y + s * 1.3), (x + s * .15, by)]], 1.3), (.30, .22, .18), line=0, kind="detail")
        self.part(self.poly([(x - s * .19, by - 1), (x + s * .19, by - 1), (x + s * .15, by + s * .28), (x - s * .15, by + s * .28)]), (.55, .36, .20), neon=(1, .7, .4))
        if self.time == "night":
            self.glows.append((x, y + s * .6, s * 1.2, (1, .7, .35), .35))

    def th_birds(self, x, y, kind, c):
        n = int(self.rng.integers(3, 7))
        c = {"day": (.16, .20, .30), "dawn": (.30, .24, .38), "sunset": (.14, .06, .16), "night": (.72, .76, .90)}[self.time]
        if self.sc["place"] == "space":
            c = (.85, .88, .98)
        cx, cy = self.u(80, 176), self.u(52, 92)
        m = self.blank()
        for i in range(n):
            bx = cx + (i - (n - 1) / 2) * self.u(22, 32)
            by = cy + abs(i - n // 2) * self.u(6, 11) + self.u(-8, 8)
            s, f = self.u(10, 15), self.u(.3, .65)
            t = np.linspace(0, 1, 8)
            lx = bx - s * t
            ly_ = by - s * f * np.sin(t * math.pi * .85) * 1.0
            ul = np.stack([lx, ly_ - 0], 1)
            ll = np.stack([lx, ly_ + 3.2 * (1 - t)], 1)
            self.poly(np.concatenate([ul, ll[::-1]]), m)
            ul = np.stack([2 * bx - lx, ly_], 1)
            ll = np.stack([2 * bx - lx, ly_ + 3.2 * (1 - t)], 1)
            self.poly(np.concatenate([ul, ll[::-1]]), m)
            self.ell(bx, by + 1.2, 2.4, 1.9, m)
        self.add(m, c, kind="thing", line=0, accent=3, neon=(.9, 1, 1))

    def th_windmill(self, x, y, kind, c):
        s = self.u(78, 104)
        if kind == "water":
            self.islet(x, y, s * .5)
            y -= 7
        if kind == "float":
            y = 205
        self.shadow(x, y, s * .3)
        c = np.asarray(c, np.float32)
        self.part(self.poly([(x - s * .18, y), (x - s * .11, y - s * .62), (x + s * .11, y - s * .62), (x + s * .18, y)]), c, shade(c, -.16), accent=1)
        self.part(self.poly([(x - s * .13, y - s * .61), (x - s * .09, y - s * .72), (x, y - s * .79), (x + s * .09, y - s * .72), (x + s * .13, y - s * .61)]), (.50, .24, .20), neon=(1, .45, .4))
        self.part(self.poly([(x - s * .045, y), (x - s * .045, y - s * .15), (x + s * .045, y - s * .15), (x + s * .045, y)]), (.34, .22, .2))
        hx_, hy = x, y - s * .64
        th0 = self.u(0, math.pi / 2)
        bl, sp = [], []
        for i in range(4):
            th = th0 + i * math.pi / 2
            d = np.array([math.cos(th), math.sin(th)])
            n = np.array([-d[1], d[0]])
            o = np.array([hx_, hy])
            L = s * .50
            bl.append([o + d * L * .16, o + d * L, o + d * L + n * s * .105, o + d * L * .22 + n * s * .105])
            sp.append([o, o + d * L])
        self.part(self.polys(bl), (.95, .92, .85) if self.sc["thing_color"] != "white" else (.86, .80, .70), neon=(.9, .95, 1), alpha=.96)
        self.part(self.lines(sp, 1.8), (.36, .26, .22), kind="detail", line=0)
        self.part(self.ell(hx_, hy, s * .03), (.3, .2, .18), kind="detail", line=0)

    def th_rocket(self, x, y, kind, c):
        s = self.u(40, 56)
        if kind == "float" or self.rng.random() < .5 and kind != "surface":
            y, fly, x = self.u(70, 150) if kind == "float" else self.u(80, 112), True, self.u(70, 186)
        else:
            y, fly = y - s * .62, False
        th = self.u(-.6, .6) if fly else 0.0
        ct, st = math.cos(th), math.sin(th)

        def P(p):
            p = np.asarray(p, np.float64) * s
            return np.stack([x + p[:, 0] * ct - p[:, 1] * st, y + p[:, 0] * st + p[:, 1] * ct], 1)
        if fly:
            fl = [(-.2, .62), (-.25, .95), (-.1, 1.0), (0, 1.45), (.1, 1.0), (.25, .95), (.2, .62)]
            self.add(self.poly(P(fl)), (1, .85, .35), (.98, .45, .15), kind="flame", line=1, accent=2, neon=(1, .6, .1))
            self.glows.append((x - st * s, y + ct * s * .9, s * .9, (1, .6, .2), .5))
        elif True:
            self.shadow(x, y + s * .72, s * .5)
        white = np.asarray((.95, .95, .96), np.float32)
        body, fin = (white, c) if self.sc["thing_color"] != "white" else (white, np.asarray((.45, .50, .60), np.float32))
        self.part(self.polys([P([(-.28, .1), (-.62, .72), (-.22, .60)]), P([(.28, .1), (.62, .72), (.22, .60)])]), fin, shade(fin, -.2), accent=1)
        t = np.linspace(0, 1, 14)
        w = .34 * np.sin(np.clip(t * 1.25, 0, 1) * math.pi / 2) * (1 - .22 * np.clip(t - .6, 0, 1) / .4)
        l = np.stack([-w, -1.15 + 1.8 * t], 1)
        r_ = np.stack([w, -1.15 + 1.8 * t], 1)
        bm = self.poly(P(np.concatenate([l, r_[::-1]])))
        self.part(bm, body, shade(body, -.1), neon=(.9, .95, 1))
        nose = cv2.min(self.poly(P([(-.5, -1.3), (.5, -1.3), (.5, -.68), (-.5, -.68)])), bm)
        self.part(nose, fin, accent=1)
        shd = cv2.min(self.poly(P([(.08, -1.3), (.6, -1.3), (.6, .8), (.12, .8)])), bm)
        self.add(shd, (0, 0, .1), kind="shadow", line=0, alpha=.15)
        wp = P([(0, -.32)])[0]
        self.part(self.ell(wp[0], wp[1], s * .17), shade(fin, -.25), neon=(.6, .8, 1))
        self.part(self.ell(wp[0], wp[1], s * .115), (.55, .80, .95), neon=(.6, .9, 1))

    # -- weather ----------------------------------------------------------------
    def weather(self):
        w = self.sc["weather"]
        r = self.rng
        if w == "fog":
            S = self.S
            y = np.arange(S, dtype=np.float32)[:, None] / self.k
            for _ in range(2):
                c = self.hor + self.u(-20, 45)
                a = np.exp(-((y - c + 16 * (self.noise1(S, 3, .5, 3)[None] - .5)) / self.u(16, 26)) ** 2)
                f = mix(self.haze, {"day": (.95, .97, .98), "dawn": (1, .95, .94), "sunset": (1, .80, .70), "night": (.42, .50, .66)}[self.time], .6)
                self.add((a * 200).astype(np.uint8), f, kind="fog", line=0, alpha=.85, neon=(.5, .5, .8))
        elif w == "rain":
            ps = []
            for _ in range(90):
                x, y, l = self.u(-10, 266), self.u(-10, 256), self.u(9, 18)
                ps.append([(x, y), (x - l * .28, y + l)])
            c = {"day": (.90, .95, 1), "dawn": (.95, .93, 1), "sunset": (1, .85, .80), "night": (.60, .70, .92)}[self.time]
            self.add(self.lines(ps, 1.2), c, kind="rain", line=2, alpha=.55, neon=(.5, .7, 1))
        elif w == "snow":
            m = self.blank()
            for _ in range(90 if self.sc["style"] != "line" else 45):
                self.ell(self.u(0, 256), self.u(0, 256), self.u(.8, 2.4), m=m)
            self.add(m, (1, 1, 1), kind="snow", line=0, accent=3, alpha=.9, neon=(.9, .95, 1))

    # -- styles -----------------------------------------------------------------
    def sky_img(self, stops=None):
        S = self.S
        stops = self.sky if stops is None else stops
        hor = max(60, getattr(self, "hor", 160)) * self.k
        t = np.clip(np.arange(S) / hor, 0, 1)
        xs = np.linspace(0, 1, len(stops))
        g = np.stack([np.interp(t, xs, [s[i] for s in stops]) for i in range(3)], 1).astype(np.float32)
        return np.repeat(g[:, None], S, 1)

    def over(self, img, L, alpha=None, c0=None, c1=None, m=None):
        h, w = L.m.shape
        c0 = L.c0 if c0 is None else c0
        c1 = L.c1 if c1 is None else c1
        m = L.m if m is None else m
        a = (m * (L.alpha if alpha is None else alpha))[..., None]
        v = img[L.y0:L.y0 + h, L.x0:L.x0 + w]
        t = np.linspace(0, 1, h, dtype=np.float32)[:, None]
        c = (c0 * (1 - t) + c1 * t)[:, None]
        v += (c - v) * a

    def glow(self, img, g, f=1.0):
        x, y, rad, c, s = g
        S = self.S
        yy = (np.arange(S, dtype=np.float32)[:, None] - y * self.k) / (rad * self.k)
        xx = (np.arange(S, dtype=np.float32)[None] - x * self.k) / (rad * self.k)
        a = np.exp(-1.6 * np.sqrt(xx * xx + yy * yy)) * (s * f)
        img += (1 - img) * a[..., None] * np.asarray(c, np.float32)

    def render_poster(self):
        img = self.sky_img()
        sun = [g for g in self.glows[:1]] if self.light is not None else []
        for g in sun:
            self.glow(img, g)
        for L in self.layers:
            self.over(img, L)
        for g in self.glows[len(sun):]:
            self.glow(img, g)
        if self.light is not None:
            x, y, rad, c = self.light
            self.glow(img, (x, y, rad * 2.2, c, .22))
        return img

    def render_watercolor(self):
        S = self.S
        r = self.rng
        paper = np.array([.985, .972, .945], np.float32)
        img = np.empty((S, S, 3), np.float32)
        img[:] = paper
        dark = self.time == "night" or self.sc["place"] == "space"
        lift = .10 if dark else .22
        n1 = self.noise2(5, 4)
        n2 = self.noise2(14, 3)
        sky = self.sky_img([mix(c, (1, 1, 1), lift) for c in self.sky])
        wash = np.clip(.80 + .55 * (n1 - .5) + .25 * (n2 - .5), 0, 1)[..., None]
        img += (sky - img) * wash
        if self.light is not None:
            self.glow(img, self.glows[0], .8)
        for L in self.layers:
            if L.kind in ("shadow", "wave") and L.alpha < .3:
                continue
            h, w = L.m.shape
            sub = n2[L.y0:L.y0 + h, L.x0:L.x0 + w] * .6 + n1[L.y0:L.y0 + h, L.x0:L.x0 + w] * .4
            big = min(h, w) > 12 * self.k
            m = L.m
            if big:
                b = cv2.blur(m, (int(7 * self.k) | 1,) * 2)
                edge = np.clip(m - b, 0, 1)
                c0, c1 = mix(L.c0, (1, 1, 1), lift * .75), mix(L.c1, (1, 1, 1), lift * .75)
                self.over(img, L, alpha=L.alpha, c0=c0, c1=c1, m=m * np.clip(.66 + .62 * sub, 0, 1))
                v = img[L.y0:L.y0 + h, L.x0:L.x0 + w]
                v *= 1 - (.42 * edge * m * L.alpha)[..., None]
            else:
                self.over(img, L, c0=mix(L.c0, (1, 1, 1), lift * .5), c1=mix(L.c1, (1, 1, 1), lift * .5))
        for g in self.glows[1 if self.light is not None else 0:]:
            self.glow(img, g, .7)
        # wobble, granulation, an irregular unpainted border
        k = self.k
        gx = cv2.resize(r.normal(0, 1, (26, 26)).astype(np.float32), (S, S), interpolation=cv2.INTER_CUBIC)
        gy = cv2.resize(r.normal(0, 1, (26, 26)).astype(np.float32), (S, S), interpolation=cv2.INTER_CUBIC)
        yy, xx = np.mgrid[0:S, 0:S].astype(np.float32)
        img = cv2.remap(img, xx + 1.5 * k * gx, yy + 1.5 * k * gy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        gr = cv2.resize(r.normal(0, 1, (128, 128)).astype(np.float32), (S, S), interpolation=cv2.INTER_LINEAR)
        img *= 1 + .022 * gr[..., None]
        d = np.minimum(np.minimum(xx, S - 1 - xx), np.minimum(yy, S - 1 - yy)) / k
        e = np.clip((d - 7 - 5 * (n2 - .5) * 2 - 1.2 * gx) / 1.8, 0, 1)[..., None]
        return paper + (img - paper) * e

    def render_pixel(self):
        S = self.S
        img = np.clip(self.render_poster(), 0, 1)
        n = 64
        small = cv2.resize(img, (n, n), interpolation=cv2.INTER_AREA)
        # ordered dither, then a limited palette per channel in a saturated space
        g = small.mean(2, keepdims=True)
        small = np.clip(g + (small - g) * 1.22, 0, 1)
        small = np.clip((small - .5) * 1.08 + .5, 0, 1)
        b = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - .47
        lv = 9
        d = np.tile(b, (n // 4, n // 4))[..., None]
        q = np.round(small * lv + d * .5) / lv
        q = np.clip(q, 0, 1)
        return cv2.resize(q.astype(np.float32), (S, S), interpolation=cv2.INTER_NEAREST)

    def edges(self, m, w):
        k = max(2, int(round(w * self.k)) + 1)
        ker = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
        p = cv2.copyMakeBorder(m, k, k, k, k, cv2.BORDER_REPLICATE)
        e = cv2.dilate(p, ker) - cv2.erode(p, ker)
        return e, k

    def stroke(self, img, L, color, w, alpha=1.0):
        """Ink the outline of a layer (never along the picture's border)."""
        S = self.S
        h, w_ = L.m.shape
        pad = 3
        full = np.zeros((h + 2 * pad, w_ + 2 * pad), np.float32)
        full[pad:-pad, pad:-pad] = L.m
        if L.y0 + h >= S:
            full[-pad:] = full[-pad - 1]
        if L.x0 == 0:
            full[:, :pad] = full[:, pad:pad + 1]
        if L.x0 + w_ >= S:
            full[:, -pad:] = full[:, -pad - 1:-pad]
        if L.y0 == 0:
            full[:pad] = full[pad]
        k = max(2, int(round(w * self.k)))
        ker = np.ones((k, k), np.uint8) if k < 3 else cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
        e = cv2.dilate(full, ker) - cv2.erode(full, ker)
        y0, x0 = L.y0 - pad, L.x0 - pad
        ya, xa = max(0, y0), max(0, x0)
        yb, xb = min(S, y0 + e.shape[0]), min(S, x0 + e.shape[1])
        e = e[ya - y0:yb - y0, xa - x0:xb - x0] * alpha
        v = img[ya:yb, xa:xb]
        v += (np.asarray(color, np.float32) - v) * e[..., None]

    def render_line(self):
        S = self.S
        paper, ink = {
            "day": ("#fbf8f0", "#22303c"), "dawn": ("#fbe3df", "#4a3350"),
            "sunset": ("#fbc58d", "#4b1a2c"), "night": ("#141b38", "#e9e6d8")}[self.time]
        if self.sc["place"] == "space":
            paper, ink = "#101226", "#efe9da"
        paper, ink = hx(paper), hx(ink)
        img = np.empty((S, S, 3), np.float32)
        img[:] = paper
        top = shade(paper, -.05) if self.time != "night" else shade(paper, -.3)
        img = self.sky_img([top, paper])
        dark = ink.mean() > paper.mean()
        for L in self.layers:
            if L.kind in ("fog", "shadow", "beam", "aurora"):
                if L.kind == "aurora":
                    self.over(img, L, alpha=L.alpha * .4)
                elif L.kind == "fog":
                    self.over(img, L, alpha=.8, c0=paper, c1=paper)
                elif L.kind == "beam":
                    self.over(img, L, alpha=.3)
                continue
            if L.kind in ("star", "snow"):
                self.over(img, L, c0=ink, c1=ink)
                continue
            if L.line == 2:
                self.over(img, L, alpha=.75, c0=ink, c1=ink)
                continue
            if L.kind == "detail" and L.line == 0:
                # shading becomes hatching
                h, w = L.m.shape
                yy, xx = np.mgrid[L.y0:L.y0 + h, L.x0:L.x0 + w].astype(np.float32)
                p = 6.0 * self.k
                s = np.clip(1.6 - np.abs(((xx + yy) % p) - p / 2) / (.55 * self.k), 0, 1)
                self.over(img, L, alpha=.42, c0=ink, c1=ink, m=L.m * s)
                continue
            if L.kind == "glint":
                self.over(img, L, alpha=.8, c0=L.c0, c1=L.c1)
                continue
            if L.accent in (1, 2):
                self.over(img, L, alpha=1.0 if L.accent == 2 else .95)
            elif L.accent == 3:
                self.over(img, L, alpha=1, c0=ink, c1=ink)
            else:
                tone = mix(paper, L.c0 if not dark else mix(L.c0, paper, .5), .07)
                self.over(img, L, alpha=1.0, c0=tone, c1=paper)
            if L.line:
                self.stroke(img, L, ink, 2.0)
        return img

    def render_neon(self):
        S = self.S
        bg = {"day": ("#06263a", "#0d4a5c"), "dawn": ("#241640", "#6a2f68"), "sunset": ("#1d0b3a", "#7a1d5e", "#d8433f"),
              "night": ("#04050f", "#0c1030")}[self.time]
        if self.sc["place"] == "space":
            bg = ("#04040d", "#160a2e")
        bg = [hx(c) for c in bg]
        img = self.sky_img(bg)
        light = np.zeros((S, S, 3), np.float32)
        land = mix(bg[0], (0.01, .01, .04), .55)
        for L in self.layers:
            if L.kind == "shadow":
                continue
            h, w = L.m.shape
            v = light[L.y0:L.y0 + h, L.x0:L.x0 + w]
            nc = np.clip(np.asarray(L.neon if L.neon is not None else (.5, .6, 1), np.float32), 0, 1)
            mx = nc.max()
            nc = np.clip((nc / max(mx, .2)) ** 1.5, .04, 1)
            if L.kind in ("star", "snow", "window", "flower", "rainbow", "glint", "wave", "rain", "flame"):
                v *= (1 - L.m)[..., None]
                v += (L.m * L.alpha * .85)[..., None] * nc
                continue
            if L.kind in ("aurora", "fog", "beam"):
                v += (L.m * L.alpha * .38)[..., None] * nc
                continue
            if L.kind == "detail" and L.line == 0:
                continue
            if L.kind in ("land", "water", "thing", "foam", "cloud", "planet", "sun", "moon"):
                v *= (1 - L.m)[..., None]
                fc = mix(land, nc, .10 if L.kind in ("land", "water") else .22)
                if L.kind in ("sun", "moon"):
                    fc = mix(bg[-1], nc, .80)
                    y = np.arange(h, dtype=np.float32)[:, None]
                    m = L.m.copy()
                    if L.kind == "sun":   # the classic slits
                        t = y / max(1, h)
                        m *= np.where((t > .5) & (((t * 9) % 1) < (t - .35) * .7), 0.12, 1.0)
                    self.over(img, L, alpha=.95, c0=mix(nc, (1, .95, .6), .35), c1=nc, m=m)
                    v += (m * .35)[..., None] * nc
                else:
                    self.over(img, L, alpha=.97 * L.alpha, c0=fc, c1=mix(land, fc, .4))
            if L.line:
                self.stroke(light, L, nc, 2.0)
        q = cv2.resize(light, (S // 4, S // 4), interpolation=cv2.INTER_AREA)
        g1 = cv2.resize(cv2.GaussianBlur(q, (0, 0), 1.1 * self.k), (S, S), interpolation=cv2.INTER_LINEAR)
        g2 = cv2.resize(cv2.GaussianBlur(q, (0, 0), 4.0 * self.k), (S, S), interpolation=cv2.INTER_LINEAR)
        img = img + light * .95 + g1 * .75 + g2 * .6
        core = np.clip(light - .55, 0, 1).min(2, keepdims=True)
        return 1 - np.exp(-1.15 * np.clip(img + core * .3, 0, None))

    def run(self):
        getattr(self, "place_" + self.sc["place"])()
        self.thing()
        self.weather()
        st = self.sc["style"]
        img = getattr(self, "render_" + st)()
        if st == "poster":
            g = self.rng.normal(0, .006, (self.S, self.S, 1)).astype(np.float32)
            img = img + g
        return (np.clip(img, 0, 1) * 255 + .5).astype(np.uint8)


def paint(scene, size=256):
    """RGB uint8 picture of a scene."""
    return Painter(scene, size).run()


def sample_scene(rng):
    c = lambda xs, p=None: xs[int(rng.choice(len(xs), p=p))]
    place = c(PLACES)
    time = c(TIMES, [.19, .31, .24, .26])
    style = c(STYLES, [.36, .18, .15, .15, .16])
    thing = c(PLACE_THINGS[place])
    variant = c(VARIANTS[place])
    if thing == "boat" and place == "mountains":
        variant = "lake"
    if thing == "tree" and place == "mountains" and variant == "lake":
        variant = "plain"
    if place == "city" and thing == "tree":
        variant = "plain"
    if place == "space":
        time = "night"
        if thing in ("house", "lighthouse", "tree"):
            variant = "surface"
    weather = c(WEATHERS, [.80, .065, .075, .06]) if place not in ("space",) else "clear"
    if place == "desert" and weather == "snow":
        weather = "clear"
    sky = []
    if place == "space":
        if rng.random() < .15:
            sky.append("sun")
    elif time == "night":
        if weather in ("clear", "fog"):
            if rng.random() < .55:
                sky.append("moon")
            if rng.random() < .50:
                sky.append("stars")
            if rng.random() < .17:
                sky.append("aurora")
            if rng.random() < .12:
                sky.append("clouds")
        else:
            sky.append("clouds")
    else:
        p_sun = {"day": .5, "dawn": .65, "sunset": .72}[time]
        if weather == "rain":
            sky.append("clouds")
            if rng.random() < .25:
                sky.append("rainbow")
        elif weather == "snow":
            if rng.random() < .6:
                sky.append("clouds")
        else:
            if rng.random() < p_sun:
                sky.append("sun")
            if rng.random() < .38:
                sky.append("clouds")
            if time != "sunset" and rng.random() < .10:
                sky.append("rainbow")
    sun = c({"day": ["yellow", "yellow", "white", "orange", "red"], "dawn": ["yellow", "orange", "pink", "white", "red"],
             "sunset": ["red", "red", "orange", "yellow", "yellow"], "night": ["yellow", "orange", "red"]}[time])
    return {
        "place": place, "variant": variant, "time": time, "style": style, "thing": thing,
        "thing_color": c(THING_COLORS[thing]), "sky": sky, "sun_color": sun,
        "moon_color": c(["white", "white", "yellow", "red", "blue"], [.35, .25, .22, .1, .08]),
        "moon_shape": c(["full", "crescent"], [.65, .35]), "weather": weather,
        "seed": int(rng.integers(2 ** 31)),
    }
