# needs: PIL numpy
# %% drawing
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

image = Image.new("RGB", (40, 20), "white")
ImageDraw.Draw(image).rectangle((5, 5, 14, 14), fill=(255, 0, 0))
image.getpixel((10, 10)), image.getpixel((0, 0)), image.size, image.mode
# %% to arrays and back
array = np.asarray(image)
print(array.shape, int(array[..., 1].sum()))
Image.fromarray(255 - array).getpixel((0, 0))
# %% formats
buffer = io.BytesIO()
image.save(buffer, "PNG")
again = Image.open(buffer)
again.format, again.tobytes() == image.tobytes()
# %% turning and scaling
image.rotate(90, expand=True).size, image.resize((10, 5)).size, ImageOps.grayscale(image).getextrema(), image.crop((5, 5, 8, 9)).size
# %% filters
image.filter(ImageFilter.GaussianBlur(2)).size, image.convert("L").point(lambda p: 255 * (p > 100)).getpixel((0, 0))
