"""Published laws and published models, each with its source.

The laws' closed forms are in `laws`; the models are dense ones whose authors
state the number of their training tokens.

>>> C = 5.76e23
>>> print(f'{HOFFMANN.optimum(C).N:.3g}, {BESIROGLU.optimum(C).N:.3g}')
3.22e+10, 7.22e+10
"""

from typing import NamedTuple

from scaling_jax import laws

# Hoffmann et al. 2022 (arXiv 2203.15556), eq. 10: approach 3 as published.
HOFFMANN = laws.Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)

# Besiroglu et al. 2024 (arXiv 2404.10102): figure 4 of the same, fitted again.
BESIROGLU = laws.Chinchilla(
  E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658
)

# Kaplan et al. 2020 (arXiv 2001.08361), table 2: L(N, D) fitted jointly.
KAPLAN = laws.Kaplan(N_c=6.4e13, D_c=1.8e13, alpha_N=0.076, alpha_D=0.103)

# The same, table 5 and section 1.2: one quantity at a time, L = (x_c / x)^a.
KAPLAN_L_N = laws.PowerLaw(8.8e13**0.076, -0.076)  # x: non-embedding parameters
KAPLAN_L_D = laws.PowerLaw(5.4e13**0.095, -0.095)  # x: tokens
KAPLAN_L_C = laws.PowerLaw(1.6e7**0.057, -0.057)  # x: PF-days, a fixed batch
KAPLAN_L_CMIN = laws.PowerLaw(3.1e8**0.050, -0.050)  # x: PF-days, C_min

# The same, table 6: parameters from C_min in PF-days.
KAPLAN_N_OPT = laws.PowerLaw(1.3e9, 0.73)

# The same, table 3, and section 5.1: the critical batch in tokens.
KAPLAN_L_NS = laws.KaplanSteps(
  N_c=6.5e13, S_c=2.1e3, alpha_N=0.077, alpha_S=0.76
)
KAPLAN_BATCH = laws.CriticalBatch(B_star=2.1e8, alpha_B=0.21)

# The same, section 4.2, eq. 4.4: tokens for N parameters without overfitting.
KAPLAN_TOKENS = laws.PowerLaw(5e3, 0.74)


class PublishedModel(NamedTuple):
  """N parameters, embeddings included, and D training tokens.

  >>> model = BY_NAME['Chinchilla']
  >>> print(f'{model.C:.3g} FLOPs, {model.D / model.N:.0f} tokens a parameter')
  5.88e+23 FLOPs, 20 tokens a parameter
  """

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
  PublishedModel('GPT-3', 2020, 175e9, 300e9, 'arXiv 2005.14165'),
  PublishedModel('Gopher', 2021, 280e9, 300e9, 'arXiv 2112.11446'),
  PublishedModel('MT-NLG', 2022, 530e9, 270e9, 'arXiv 2201.11990'),
  PublishedModel('Chinchilla', 2022, 70e9, 1.4e12, 'arXiv 2203.15556'),
  PublishedModel('PaLM', 2022, 540e9, 780e9, 'arXiv 2204.02311'),
  PublishedModel('LLaMA-65B', 2023, 65.2e9, 1.4e12, 'arXiv 2302.13971'),
  PublishedModel('Llama 2 70B', 2023, 70e9, 2e12, 'arXiv 2307.09288'),
  PublishedModel('Falcon-180B', 2023, 180e9, 3.5e12, 'arXiv 2311.16867'),
  # "Over 15T tokens": at least.
  PublishedModel('Llama 3 8B', 2024, 8.03e9, 15e12, 'Llama 3 model card'),
  PublishedModel('Llama 3.1 405B', 2024, 405e9, 15.6e12, 'arXiv 2407.21783'),
  PublishedModel('OLMo 2 13B', 2024, 13.7e9, 5e12, 'arXiv 2501.00656'),
)

BY_NAME = {model.name: model for model in MODELS}
