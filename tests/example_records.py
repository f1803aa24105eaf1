"""A record of a run, as training leaves it."""

from scaling_jax import records


def make_run(**changes):
  # gpt-0 with a vocabulary of 66: 231,072 - 221,664 = (32 + 66) · 96.
  run = records.Run(
    run_id='gpt-0_seed0', experiment='c0', dataset='poetry', model='gpt-0',
    n_layer=2, n_head=2, n_embd=96, seed=0, batch_size=64, block_size=32,
    C=6e13, N=221664, D=45113344, S=22028, N_total=231072, flops=6.4e13,
    tokens_per_param=203.5, train_loss=1.6, val_loss=1.7, val_loss_sem=0.002,
    val_bpb=2.45, wall_s=500.0, tokens_per_s=1e5, device='cpu x 2',
    status='done',
  )  # fmt: skip
  return run._replace(**changes)
