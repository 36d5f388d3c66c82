from .tools import experiment
