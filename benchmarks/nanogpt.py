"""nanoGPT's training speed: the peer that training.py runs beside us.

PYTHON benchmarks/nanogpt.py --nanogpt=FOLDER --train_bin=FILE --model=2,2,96 \
    --seconds=10 [--compile] [--dtype=bfloat16]

Needs PyTorch, and a checkout of github.com/karpathy/nanoGPT, whose model.py and
optimizer it uses as they are; the loop does what nanoGPT's train.py does at one
gradient accumulation step. Prints one JSON object.
"""

import argparse
import contextlib
import json
import pathlib
import sys
import time

import numpy as np
import torch

WARMUP_STEPS = 5
LOG_EVERY = 10  # steps between looks at the loss, which wait for the device


def main():
  options = parse()
  device = 'cuda' if torch.cuda.is_available() else 'cpu'
  torch.manual_seed(0)
  if options.dtype != 'float32' and device == 'cuda':
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
  with contextlib.redirect_stdout(sys.stderr):  # nanoGPT reports on itself
    update = make_update(options, device)
    for _ in range(WARMUP_STEPS):
      float(update())
    started = time.perf_counter()
    steps = 0
    while time.perf_counter() - started < options.seconds:
      for _ in range(LOG_EVERY):
        loss = update()
      float(loss)
      steps += LOG_EVERY
    seconds = time.perf_counter() - started
  tokens = steps * options.batch_size * options.block_size
  print(
    json.dumps(
      {
        'tokens_per_s': tokens / seconds,
        'loss': float(loss),
        'torch': torch.__version__,
        'device': torch.cuda.get_device_name() if device == 'cuda' else 'cpu',
      }
    )
  )


def parse():
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--nanogpt', type=pathlib.Path, required=True)
  parser.add_argument('--train_bin', required=True, help='uint8 tokens')
  parser.add_argument('--vocab_size', type=int, required=True)
  parser.add_argument('--model', required=True, help='layers,heads,width')
  parser.add_argument('--seconds', type=float, default=10.0)
  parser.add_argument('--batch_size', type=int, default=64)
  parser.add_argument('--block_size', type=int, default=32)
  parser.add_argument('--compile', action='store_true')
  parser.add_argument(
    '--dtype', default='float32', choices=('float32', 'tf32', 'bfloat16')
  )
  return parser.parse_args()


def make_update(options, device):
  """A function that makes one update and returns its loss."""
  sys.path.insert(0, str(options.nanogpt))
  import model as nanogpt

  n_layer, n_head, n_embd = map(int, options.model.split(','))
  gpt = nanogpt.GPT(
    nanogpt.GPTConfig(
      block_size=options.block_size,
      vocab_size=options.vocab_size,
      n_layer=n_layer,
      n_head=n_head,
      n_embd=n_embd,
      dropout=0.0,
      bias=False,
    )
  ).to(device)
  optimizer = gpt.configure_optimizers(0.1, 1e-3, (0.9, 0.99), device)
  forward = torch.compile(gpt) if options.compile else gpt
  precision = contextlib.nullcontext()
  if options.dtype == 'bfloat16':
    precision = torch.autocast(device, torch.bfloat16)
  batch = batches(options, device)
  pending = next(batch)

  def update():
    nonlocal pending
    with precision:
      _, loss = forward(*pending)
    pending = next(batch)  # drawn while the device works
    loss.backward()
    torch.nn.utils.clip_grad_norm_(gpt.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.detach()

  return update


def batches(options, device):
  """Random windows and, one token to the right, their targets, for ever."""
  tokens = np.memmap(options.train_bin, np.uint8, 'r')
  T = options.block_size

  def windows(starts):
    rows = [tokens[start : start + T].astype(np.int64) for start in starts]
    found = torch.stack([torch.from_numpy(row) for row in rows])
    if device == 'cuda':
      return found.pin_memory().to(device, non_blocking=True)
    return found

  while True:
    starts = torch.randint(len(tokens) - T, (options.batch_size,)).tolist()
    yield windows(starts), windows([start + 1 for start in starts])


if __name__ == '__main__':
  main()
