"""What a model is: its layers, its weights, its KV cache and its quantization, read from `config.json` and nothing
else.

config.json ──config──► ModelFacts ──weights──► Weight rows ──► parameters, bytes per device
                                   ──cache────► KvCost
                                   ──legality─► sentences
"""
