"""Language models through TransformerLens."""

MODEL_CLASSES = ("TransformerBridge", "HookedTransformer")
"""Classes of TransformerLens that load a model, the usual one first."""

DTYPES = ("float32", "float16", "bfloat16")
"""Number types that a model can run in, the usual one first; SAEs always run in float32."""
