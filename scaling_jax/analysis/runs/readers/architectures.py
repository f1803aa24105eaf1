"""Parameters of a model by the sizes in its config.json (Hugging Face)."""

from collections.abc import Mapping
from typing import Any

from scaling_jax.analysis.runs.readers import cells

_GATED = ('llama', 'mistral', 'qwen2', 'qwen3')
_MIXTURE = ('num_experts', 'num_local_experts', 'n_routed_experts')


def non_embedding(config: Mapping[str, Any]) -> int:
  """Parameters but for those of the vocabulary and of positions.

  Args:
    config: of GPT-2, GPT-NeoX (Pythia), Llama, Mistral, Qwen2 or Qwen3.

  Returns:
    N; 0 where a size is missing, or the architecture is another.

  >>> gpt2 = {'model_type': 'gpt2', 'n_layer': 12, 'n_embd': 768}
  >>> non_embedding(gpt2)  # 124 439 808 - (50 257 + 1 024) * 768
  85056000
  """
  kind = config.get('model_type')
  try:
    if any(config.get(name) for name in _MIXTURE):
      return 0
    if kind == 'gpt2' or (kind is None and 'n_embd' in config):
      return _gpt2(config)
    if kind == 'gpt_neox':
      return _gpt_neox(config)
    if kind in _GATED or (kind is None and 'intermediate_size' in config):
      return _gated(config, kind)
  except (KeyError, ValueError):
    pass
  return 0


def _size(config: Mapping[str, Any], name: str, default: int = 0) -> int:
  """A size that must be there, unless there is a default.

  Raises:
    ValueError: it is not.
  """
  value = config.get(name)
  number = cells.number(default if value is None else value)
  if not number > 0 or number != int(number):
    raise ValueError(f'{name}={value!r}')
  return int(number)


def _gpt2(config: Mapping[str, Any]) -> int:
  d, layers = _size(config, 'n_embd'), _size(config, 'n_layer')
  inner = _size(config, 'n_inner', 4 * d)
  attention = 4 * d * d + 4 * d
  feed_forward = 2 * d * inner + inner + d
  norms = 4 * d
  return layers * (attention + feed_forward + norms) + 2 * d


def _gpt_neox(config: Mapping[str, Any]) -> int:
  d, layers = _size(config, 'hidden_size'), _size(config, 'num_hidden_layers')
  inner = _size(config, 'intermediate_size')
  biased = bool(config.get('attention_bias', True))
  attention = 4 * d * d + 4 * d * biased
  feed_forward = 2 * d * inner + inner + d
  norms = 4 * d
  return layers * (attention + feed_forward + norms) + 2 * d


def _gated(config: Mapping[str, Any], kind: str | None) -> int:
  d, layers = _size(config, 'hidden_size'), _size(config, 'num_hidden_layers')
  inner = _size(config, 'intermediate_size')
  heads = _size(config, 'num_attention_heads')
  groups = _size(config, 'num_key_value_heads', heads)
  width = _size(config, 'head_dim', 128 if kind == 'qwen3' else d // heads)
  queries, keys = heads * width, groups * width
  attention = 2 * d * queries + 2 * d * keys
  if kind == 'qwen2':
    attention += queries + 2 * keys
  elif config.get('attention_bias'):
    attention += queries + 2 * keys + d
  if kind == 'qwen3':  # norms of queries and of keys
    attention += 2 * width
  feed_forward = 3 * d * inner
  if config.get('mlp_bias'):
    feed_forward += 2 * inner + d
  return layers * (attention + feed_forward + 2 * d) + d
