from typing import TextIO

sink: TextIO
