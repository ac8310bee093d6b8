# %% json there and back
import json

record = {"name": "千手", "n": [1, 2.5, None, True], "nested": {"k": "v"}}
text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1)
print(text)
json.loads(text) == record
# %% json that is not
json.loads('{"a": 1,}')
# %% json of a class's objects
class Encoder(json.JSONEncoder):
    def default(self, value):
        return sorted(value) if isinstance(value, set) else super().default(value)


json.dumps({"s": {3, 1, 2}}, cls=Encoder)
# %% csv
import csv
import io

source = 'name,city,n\n"Li, Lei",北京,3\nHan Meimei,上海,5\n'
rows = list(csv.DictReader(io.StringIO(source)))
print(rows[0]["name"], sum(int(row["n"]) for row in rows))
out = io.StringIO()
writer = csv.writer(out, lineterminator="\n")
writer.writerow(["a", 'quote " inside', 3])
out.getvalue()
# %% xml
import xml.etree.ElementTree as ET

root = ET.fromstring("<lib><book id='1'><title>三体</title></book><book id='2'><title>Emma</title></book></lib>")
[(book.get("id"), book.findtext("title")) for book in root.iter("book")]
# %% base64 and hashes
import base64
import hashlib
import hmac
import zlib

data = "千手".encode()
print(base64.b64encode(data), hashlib.sha256(data).hexdigest()[:16], zlib.crc32(data))
hmac.new(b"key", data, "md5").hexdigest()
# %% compression
packed = zlib.compress(b"abc" * 1000)
len(packed) < 50, zlib.decompress(packed)[:6]
# %% struct
import struct

struct.pack("<IhB", 1, -2, 3), struct.unpack(">d", struct.pack(">d", 1.5)), struct.calcsize("<IhB")
# %% configuration files
import configparser

parser = configparser.ConfigParser()
parser.read_string("[server]\nport = 8080\ndebug = yes\n")
parser.getint("server", "port"), parser.getboolean("server", "debug")
# %% urls
from urllib.parse import parse_qs, quote, urlencode, urlsplit

url = urlsplit("https://example.org:8443/a/b?q=%E5%8D%83&n=1#top")
print(url.hostname, url.port, parse_qs(url.query))
quote("千手/a b"), urlencode({"q": "a b", "n": 1})
# %% html
import html
from html.parser import HTMLParser


class Links(HTMLParser):
    found = []

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.found.append(dict(attributes).get("href"))


Links().feed('<p><a href="/x">x</a> <a href="/y?a=1&amp;b=2">y</a>')
Links.found, html.escape("<b>&</b>")
# %% pickle
import pickle

pickle.loads(pickle.dumps({"a": (1, [2, 3])}))
# %% copying
import copy

shallow, deep = copy.copy(record), copy.deepcopy(record)
record["nested"]["k"] = "changed"
shallow["nested"]["k"], deep["nested"]["k"]
