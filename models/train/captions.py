"""Captions in many wordings for a painted scene.

`caption(scene, rng)` returns (text, asked): `asked` holds only the attributes the words
mention. Attributes left out are, as a rule, the ordinary ones (flat poster, day), so a
short prompt has an expected picture.
"""
import re

PLACE_WORDS = {
    ("mountains", "plain"): ["mountains", "a mountain range", "tall peaks", "the mountains", "mountain peaks", "high mountains",
                             "jagged mountains", "rocky mountains", "an alpine valley", "a mountain", "a mountain landscape"],
    ("mountains", "snowy"): ["snowy mountains", "snow-capped peaks", "snow covered mountains", "snowy peaks", "white mountains",
                             "icy mountains", "snowy mountain", "mountains with snow", "snow-capped mountains"],
    ("mountains", "lake"): ["a mountain lake", "mountains by a lake", "a lake in the mountains", "mountains and a lake",
                            "a lake below the peaks", "an alpine lake"],
    ("sea", "plain"): ["the sea", "the ocean", "a calm sea", "the open sea", "the waves", "a calm ocean", "sea", "the water"],
    ("sea", "islands"): ["the sea with islands", "islands in the sea", "an island", "the sea and an island", "an ocean with islands"],
    ("sea", "beach"): ["a beach", "a sandy beach", "the seashore", "the coast", "the seaside", "a beach by the ocean", "the shore"],
    ("desert", "plain"): ["the desert", "sand dunes", "a desert", "golden dunes", "a sandy desert", "dunes", "desert dunes"],
    ("desert", "red"): ["a red desert", "red dunes", "red sand dunes", "the red desert"],
    ("desert", "mesa"): ["a desert with mesas", "a canyon", "desert mesas", "a desert canyon", "rocky desert", "desert cliffs"],
    ("forest", "pine"): ["a pine forest", "a forest", "the woods", "pine trees", "a dark forest", "a forest of pines", "the forest",
                         "evergreen woods"],
    ("forest", "autumn"): ["an autumn forest", "a forest in autumn", "a forest in fall", "orange woods", "golden autumn woods"],
    ("forest", "round"): ["a forest", "the woods", "a leafy forest", "a green forest", "woodland"],
    ("city", "plain"): ["a city", "the city", "a city skyline", "skyscrapers", "downtown", "a town with towers", "a big city", "city"],
    ("city", "river"): ["a city by the river", "a city by the water", "a harbor city", "a skyline over the river", "a city on a river"],
    ("field", "grass"): ["a field", "a meadow", "green hills", "a grassy field", "rolling hills", "the countryside", "a green field",
                         "farmland", "a prairie"],
    ("field", "wheat"): ["a wheat field", "golden fields", "a field of wheat", "a golden field"],
    ("field", "lavender"): ["a lavender field", "fields of lavender", "a purple field", "a field of lavender"],
    ("field", "poppy"): ["a poppy field", "a field of red flowers", "a field of poppies", "a flower field", "a field of flowers"],
    ("space", "nebula"): ["space", "outer space", "deep space", "a nebula", "a galaxy", "the cosmos", "a colorful nebula in space", "the universe"],
    ("space", "planet"): ["a planet in space", "a planet", "space with a planet", "planets in outer space", "a giant planet in space"],
    ("space", "surface"): ["an alien planet", "the surface of a planet in space", "a lunar landscape", "the surface of the moon in space",
                           "an alien world in space", "a moon base in space"],
}
TIME_WORDS = {
    "dawn": ["at dawn", "at sunrise", "in the early morning", "at daybreak", "in the morning"],
    "day": ["by day", "at noon", "in daylight", "on a bright day", "in the afternoon", "on a clear day", "during the day"],
    "sunset": ["at sunset", "at dusk", "in the evening", "at twilight", "in the golden hour", "at sundown"],
    "night": ["at night", "by night", "at midnight", "in the night", "on a dark night", "late at night"],
}
TIME_TERSE = {
    "dawn": ["dawn", "sunrise", "morning", "early morning", "daybreak"], "day": ["day", "noon", "daytime", "daylight", "afternoon", "blue sky"],
    "sunset": ["sunset", "dusk", "evening", "twilight", "golden hour"], "night": ["night", "midnight", "nighttime", "dark night", "night sky"],
}
STYLE_WORDS = {
    "poster": ["flat poster", "poster", "minimal poster", "flat illustration", "vector art", "travel poster", "flat design", "flat art"],
    "watercolor": ["watercolor", "watercolour", "watercolor painting", "aquarelle", "watercolor"],
    "pixel": ["pixel art", "8-bit", "16-bit pixel art", "retro game", "pixel art", "pixelated"],
    "line": ["line art", "ink drawing", "line drawing", "pen and ink", "outline drawing", "sketch", "line art"],
    "neon": ["neon", "neon lights", "synthwave", "glowing neon", "neon style", "retrowave", "neon art"],
}
STYLE_OF = {
    "poster": ["a flat poster of", "a poster of", "a minimal poster of", "a flat illustration of", "a travel poster of"],
    "watercolor": ["a watercolor of", "a watercolor painting of", "a watercolour of", "an aquarelle of"],
    "pixel": ["pixel art of", "a pixel art picture of", "an 8-bit picture of", "a retro game scene of"],
    "line": ["line art of", "an ink drawing of", "a line drawing of", "a sketch of", "a pen and ink drawing of"],
    "neon": ["a neon picture of", "neon art of", "a synthwave picture of", "a glowing neon sign of"],
}
THING_WORDS = {
    "house": ["house", "house", "cabin", "cottage", "hut", "home"], "tree": ["tree", "tree", "lone tree", "single tree", "oak"],
    "boat": ["boat", "boat", "sailboat", "ship", "sailing boat", "little boat"], "cactus": ["cactus", "cactus", "tall cactus", "saguaro"],
    "lighthouse": ["lighthouse", "lighthouse", "tall lighthouse", "beacon"],
    "balloon": ["balloon", "hot air balloon", "hot air balloon", "striped balloon"],
    "birds": ["birds", "flying birds", "flock of birds", "seagulls", "birds"],
    "windmill": ["windmill", "windmill", "old windmill", "mill"], "rocket": ["rocket", "rocket", "spaceship", "rocket ship", "spacecraft"],
}
ON = {
    "mountains": ["in", "near", "by", "before", "in front of"], "sea": ["on", "by", "at", "near", "over"], "desert": ["in", "in the middle of"],
    "forest": ["in", "by", "at the edge of"], "city": ["in", "over", "above", "near"], "field": ["in", "on", "in the middle of"],
    "space": ["in", "above", "near", "on"],
}
SKY_WORDS = {
    "stars": ["stars", "a starry sky", "bright stars", "many stars", "twinkling stars", "a sky full of stars"],
    "clouds": ["clouds", "white clouds", "a cloudy sky", "fluffy clouds", "some clouds"],
    "rainbow": ["a rainbow", "a bright rainbow"],
    "aurora": ["northern lights", "an aurora", "aurora", "the northern lights", "green aurora", "polar lights"],
}
WEATHER_WORDS = {
    "rain": ["in the rain", "rain", "rainy weather", "rain falling", "heavy rain", "a rainy day"],
    "snow": ["in the snow", "falling snow", "snowfall", "snowing", "a snowy day", "winter"],
    "fog": ["in the fog", "fog", "mist", "misty", "foggy", "in the mist"],
}
OPEN = ["a picture of", "a scene with", "an image of", "a view of", "a painting of", "a landscape with"]


def an(w):
    return ("an " if w[0] in "aeiou" else "a ") + w


def bare(s):
    return re.sub(r"^(a|an|the) ", "", s)


def caption(sc, rng):
    p = lambda x: rng.random() < x
    c = lambda xs: xs[int(rng.integers(len(xs)))]
    asked = {}
    if p(.95) or sc["thing"] == "none":
        asked["place"] = sc["place"]
        asked["variant"] = sc["variant"]
    if sc["place"] != "space" and p(.55 if sc["time"] == "day" else .88):
        asked["time"] = sc["time"]
    if p(.45 if sc["style"] == "poster" else .93):
        asked["style"] = sc["style"]
    thing = None
    if sc["thing"] != "none" and p(.96):
        asked["thing"] = sc["thing"]
        w = c(THING_WORDS[sc["thing"]])
        if sc["thing"] == "birds":
            thing = w if w != "flock of birds" else "a flock of birds"
            if p(.15):
                thing = c(["some", "a few", "many"]) + " " + bare(thing)
        else:
            if p(.3 if (sc["thing"], sc["thing_color"]) in (("tree", "green"), ("cactus", "green")) else .72):
                asked["thing_color"] = sc["thing_color"]
                w = sc["thing_color"] + " " + w
            elif p(.18):
                w = c(["small", "big", "little", "lonely", "beautiful"]) + " " + w
            thing = an(w) if p(.9) else "the " + w
    sky = []
    for s in sc["sky"]:
        if not p(.87):
            continue
        asked.setdefault("sky", []).append(s)
        if s == "sun":
            w = "sun"
            if p(.7):
                asked["sun_color"] = sc["sun_color"]
                w = sc["sun_color"] + " sun"
            elif p(.2):
                w = c(["bright", "big", "low", "setting" if sc["time"] == "sunset" else "shining"]) + " sun"
            sky.append(c(["a ", "the ", "a "]) + w)
        elif s == "moon":
            w = "moon"
            if p(.6):
                asked["moon_shape"] = sc["moon_shape"]
                w = sc["moon_shape"] + " moon"
            if p(.5 if sc["moon_color"] != "white" else .3):
                asked["moon_color"] = sc["moon_color"]
                w = sc["moon_color"] + " " + w
            sky.append(c(["a ", "the ", "a "]) + w)
        else:
            sky.append(c(SKY_WORDS[s]))
    weather = None
    if sc["weather"] != "clear" and p(.93):
        asked["weather"] = sc["weather"]
        weather = c(WEATHER_WORDS[sc["weather"]])
    if rng.random() < .5:
        sky = sky[::-1]
    place = c(PLACE_WORDS[(sc["place"], sc["variant"])]) if "place" in asked else None
    st, t = asked.get("style"), asked.get("time")

    k = rng.random()
    if k < .36:                      # keywords, any order
        parts = [x for x in [thing, place, weather] if x] + sky
        if t:
            parts.append(c(TIME_TERSE[t]) if p(.75) else c(TIME_WORDS[t]))
        if st:
            parts.append(c(STYLE_WORDS[st]))
        if p(.65):
            rng.shuffle(parts)
            parts = [str(x) for x in parts]
        if p(.7):
            parts = [bare(x) for x in parts]
        text = (", " if p(.85) else " ").join(parts)
    else:
        tail = []
        if k < .62:                  # thing first
            head = thing or (c(sky) if sky and p(.5) else None)
            if head in sky:
                sky.remove(head)
                join = c(["over", "above", "over"])
            else:
                join = c(ON[sc["place"]])
                if sc["thing"] in ("balloon", "birds") and p(.6):
                    join = c(["over", "above", "flying over", "floating over"] if sc["thing"] == "balloon" else ["over", "above", "flying over"])
            text = " ".join(x for x in [head, join if head and place else None, place] if x) or c(["a picture", "a landscape"])
        elif k < .80:                # sky first
            if sky:
                text = sky.pop(0) + (" " + c(["over", "above"]) + " " + place if place else "")
                if thing:
                    tail.append("with " + thing if p(.7) else thing)
            else:
                text = (place or c(["a picture", "a landscape"])) + (" with " + thing if thing else "")
        else:                        # place first
            text = place or c(["a picture", "a landscape"])
            if thing:
                text += c([" with ", " and ", ", ", " with "]) + thing
        if t:
            w = c(TIME_WORDS[t])
            if p(.75):
                text += " " + w
            elif p(.5):
                tail.append(w)
            else:
                text = c(TIME_TERSE[t]) + ", " + text if p(.5) else text + ", " + c(TIME_TERSE[t])
        if sky:
            s = " and ".join(sky)
            text += c([" under ", " with ", ", ", " under "]) + s
        if weather:
            tail.insert(0, weather) if p(.5) else tail.append(weather)
        if st:
            j = rng.random()
            if j < .34:
                text = c(STYLE_OF[st]) + " " + text
            elif j < .48:
                text = c(STYLE_WORDS[st]) + ", " + text
            elif j < .60:
                tail.append("in " + c(STYLE_WORDS[st]) + c([" style", ""]))
            else:
                tail.append(c(STYLE_WORDS[st]))
        elif p(.15):
            text = c(OPEN) + " " + text
        text = ", ".join([text] + tail)
    return text.strip() or "a picture", asked


def all_words():
    """Every word the captions can use, and some a person may add."""
    w = set()

    def walk(x):
        if isinstance(x, str):
            w.update(re.findall(r"[a-z]+", x.lower()))
        elif isinstance(x, dict):
            for k, v in x.items():
                walk(k), walk(v)
        elif isinstance(x, (list, tuple)):
            for v in x:
                walk(v)
    for g in (PLACE_WORDS, TIME_WORDS, TIME_TERSE, STYLE_WORDS, STYLE_OF, THING_WORDS, ON, SKY_WORDS, WEATHER_WORDS, OPEN):
        walk(g)
    walk("""a an the and with over above under flying floating in on at by of some few many small big little lonely beautiful bright low
    setting shining red orange yellow green blue purple pink white black golden full crescent moon sun picture landscape style is there its
    this two three one from to into through behind beside between near old new dark light warm cold soft quiet calm wild gray grey brown
    silver gold colorful pastel mountain mountains hill river road path sky cloud star stars flower flowers grass trees houses boats cacti
    balloons bird cat dog horse man woman person people castle tower bridge train car garden village winter summer spring autumn storm wind
    sunny cloudy rainy snowy starry moonlit moonlight sunlight reflection reflected very tiny huge giant detailed art photo painting
    illustration drawing print""")
    return sorted(w)


if __name__ == "__main__":
    import numpy as np
    from painter import sample_scene
    r = np.random.default_rng(5)
    for _ in range(40):
        print(caption(sample_scene(r), r)[0])
