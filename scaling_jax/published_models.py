"""Published dense models: what they were built of.

Only those whose authors state the number of their training tokens.
"""

from typing import NamedTuple


class Published(NamedTuple):
  """N parameters, embeddings included, and D training tokens."""

  name: str
  year: int
  N: float
  D: float
  source: str

  @property
  def C(self) -> float:
    """FLOPs, 6 N D."""
    return 6 * self.N * self.D


MODELS = (
  Published('GPT-3', 2020, 175e9, 300e9, 'arXiv 2005.14165'),
  Published('Gopher', 2021, 280e9, 300e9, 'arXiv 2112.11446'),
  Published('MT-NLG', 2022, 530e9, 270e9, 'arXiv 2201.11990'),
  Published('Chinchilla', 2022, 70e9, 1.4e12, 'arXiv 2203.15556'),
  Published('PaLM', 2022, 540e9, 780e9, 'arXiv 2204.02311'),
  Published('LLaMA-65B', 2023, 65.2e9, 1.4e12, 'arXiv 2302.13971'),
  Published('Llama 2 70B', 2023, 70e9, 2e12, 'arXiv 2307.09288'),
  Published('Falcon-180B', 2023, 180e9, 3.5e12, 'arXiv 2311.16867'),
  # "Over 15T tokens": at least.
  Published('Llama 3 8B', 2024, 8.03e9, 15e12, 'Llama 3 model card'),
  Published('Llama 3.1 405B', 2024, 405e9, 15.6e12, 'arXiv 2407.21783'),
  Published('OLMo 2 13B', 2024, 13.7e9, 5e12, 'arXiv 2501.00656'),
)

BY_NAME = {model.name: model for model in MODELS}
