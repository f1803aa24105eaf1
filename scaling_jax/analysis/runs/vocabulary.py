"""The words by which `roles` knows a column."""

import dataclasses
import enum


class Role(enum.StrEnum):
  """What a column holds; the names are those of `--columns`."""

  N = 'N'
  D = 'D'
  C = 'C'
  LOSS = 'loss'
  B_CRIT = 'B_crit'  # the critical batch, in tokens
  SEM = 'sem'
  SEED = 'seed'
  RUN_ID = 'run_id'
  STATUS = 'status'
  FLAG = 'flag'  # true or false: whether a run crashed, or finished
  PROGRESS = 'progress'  # from 0 to 1
  STEPS = 'S'
  MAX_STEPS = 'max_steps'
  TOKENS_PER_STEP = 'tokens_per_step'
  TOKENS_PER_PARAM = 'tokens_per_param'
  BYTES_PER_TOKEN = 'bytes_per_token'
  BATCH_SIZE = 'batch_size'
  CONTEXT = 'context'
  LEARNING_RATE = 'learning_rate'
  EPOCHS = 'epochs'
  TEXT_TOKENS = 'text_tokens'
  TEXT = 'dataset'
  TOKENIZER = 'tokenizer'
  VOCAB_SIZE = 'vocab_size'
  EXPERIMENT = 'experiment'
  MODEL = 'model'
  UNIT = 'unit'  # a column of the loss' unit


class LossUnit(enum.StrEnum):
  """What a loss is measured in."""

  NATS = 'nats/token'
  BITS = 'bits/token'
  PERPLEXITY = 'perplexity'
  BITS_PER_BYTE = 'bits/byte'
  NATS_PER_BYTE = 'nats/byte'
  BITS_PER_CHARACTER = 'bits/character'


class Rank(enum.IntEnum):
  """How well a name fits its role; the lower the better."""

  EXACT = 0  # our own name
  GOOD = 1
  SECOND = 2  # of what is GOOD, such as the best validation loss on the way
  FAIR = 3  # a plain 'loss' may be one of training
  POOR = 4  # is taken where there is no other


@dataclasses.dataclass(frozen=True)
class Meaning:
  """What a name says.

  Attributes:
    role: what its column holds.
    unit: of sizes a factor as text, 'M'; of a loss a `LossUnit`; '' otherwise.
    rank: how well it fits.
  """

  role: Role
  unit: str = ''
  rank: Rank = Rank.GOOD


SIZES = (Role.N, Role.D, Role.C)


def listed(text: str) -> frozenset[str]:
  return frozenset(text.split())


PARAMS = listed(
  'param params parameter parameters nparams nparam numparams numparameters'
  ' nparameters paramcount weights'
)
NOT_PARAMS = listed(
  'log ln sqrt per ratio token tokens memory bytes gb mb lr rate init expert tied'
  ' sharing norm std mean grad update dtype path optimizer decay precision'
)
EMBEDDING = listed(
  'embedding embeddings emb embed embd embeds wte wpe head lmhead bigram scalars'
)
TOKENS = listed('token tokens ntokens ntok tok toks numtokens traintokens')
NOT_TOKENS = listed(
  """
  sec second seconds s throughput speed vocab vocabulary warmup val valid
  validation eval test tokenizer tokenization id ids hour day gpu device flop
  flops loss cost price bytes gb mb tb kb embedding dim pad path dropout top
  context length expert experts bos eos unk special
  """
)
TEXT_WORDS = listed('unique corpus dataset text available distinct pool data')
FLOPS = listed(
  """
  flop flops compute flopsbudget flopbudget budget isoflop isoflops
  """
)
WITH_OTHERS = listed(
  'non no wo without excl excluding exc ex minus nonembedding total with incl'
  ' including transformer scaling plus'
)
STEP = listed('step update batch iteration iter')
# A letter, and the words that may stand beside it.
_OF_ANY = 'total all final train trained training'
LETTERS = {
  'n': (
    Role.N,
    listed(
      f'n {_OF_ANY} active non embedding nonemb nonembedding emb embed no'
      ' without params param parameters eff dense'
    ),
  ),
  'd': (Role.D, listed(f'd {_OF_ANY} tokens token tok')),
  'c': (Role.C, listed(f'c {_OF_ANY} budget flops flop compute')),
}
FILLERS = listed('config total num final the of summary args hparams number')
WITH_UNIT = (
  Role.N, Role.D, Role.C, Role.PROGRESS, Role.TEXT_TOKENS,
  Role.TOKENS_PER_STEP, Role.B_CRIT,
)  # fmt: skip
NOT_FLOPS = listed(
  'log ln sqrt per s sec second seconds mfu util utilization token step param'
  ' ratio gpu device hardware peak id group name index achieved sustained'
  ' promised theoretical hour hours minutes time usd dollar dollars cost price'
  ' eur type dtype'
)
VALIDATION = listed(
  'val valid validation eval evaluation test dev heldout holdout held'
)
DONE = listed('done complete completed finished progress')
TRAINING = listed('train training tr')
LOSS = listed(
  'loss losses nll xent ce crossentropy valloss evalloss testloss trainloss'
)
NOT_LOSS = listed(
  """
  log ln sqrt aux z coef coefficient weight scale smoothing std sd sem se stderr err error
  initial init first start step at diff delta difference predicted prediction pred
  fit fitted residual moe router balance balancing lbl reg regularization penalty
  type fn name function unit max spike spikes count mask weighting curve history
  """
)
WORSE_LOSS = listed('best min minimum lowest ema smooth smoothed avg average')
ERROR = listed('sem se stderr')
LOSS_UNITS = {
  **dict.fromkeys(('perplexity', 'ppl', 'pplx'), LossUnit.PERPLEXITY),
  **dict.fromkeys(
    ('bpb', 'bitsperbyte', 'bitsbyte', 'bitbyte'), LossUnit.BITS_PER_BYTE
  ),
  **dict.fromkeys(
    ('bpt', 'bitspertoken', 'bitstoken', 'bits', 'bit', 'log2'), LossUnit.BITS
  ),
  **dict.fromkeys(
    ('bpc', 'bitsperchar', 'bitsperchars', 'bitspercharacter', 'bitschar',
     'bitscharacter'),
    LossUnit.BITS_PER_CHARACTER,
  ),
  **dict.fromkeys(
    ('nats', 'nat', 'natspertoken', 'natstoken', 'nattoken', 'lntoken'),
    LossUnit.NATS,
  ),
  **dict.fromkeys(('natsperbyte', 'natsbyte'), LossUnit.NATS_PER_BYTE),
}  # fmt: skip

BARE_UNITS = listed('bits bit nats nat log2')

# Roles of a name's words joined.
JOINED: dict[str, Role] = {
  name: role
  for role, names in (
    (Role.N, 'n modelsize sizeofmodel nonembedding nonemb'),
    (Role.D, 'd datasize datasetsize trainingdata trainsetsize numinputtokensseen'),
    (Role.C, 'c'),
    (Role.LOSS, 'l crossentropy ce nll'),
    (
      Role.B_CRIT,
      'bcrit bcrittokens bcritical criticalb criticalbatch criticalbatches'
      ' criticalbatchsize criticalbatchsizes criticalbatchtokens'
      ' criticalbatchsizetokens criticalbatchintokens criticalbatchsizeintokens'
      ' cbs',
    ),
    (Role.SEED, 'seed seeds rng rngseed randomseed trainseed seedid initseed'),
    (
      Role.RUN_ID,
      'runid id run runname name displayname runpath uid uuid runuid jobid trialid',
    ),
    (Role.STATUS, 'status state runstate runstatus jobstatus jobstate outcome'),
    (
      Role.PROGRESS,
      'progress trainingprogress fraction fractiondone fractionoftraining'
      ' percentdone percentcomplete pctdone pctcomplete completion trainprogress'
      ' fractioncomplete trainfraction trainingfraction percentoftraining',
    ),
    (
      Role.STEPS,
      'step steps globalstep s numsteps nsteps trainsteps trainingsteps'
      ' trainglobalstep trainerglobalstep trainstep'
      ' numiterations iterations iters iter numiters updates numupdates niter niters',
    ),
    (
      Role.MAX_STEPS,
      'maxsteps totalsteps maxiters totaliters plannedsteps numtrainsteps'
      ' targetsteps maxiterations totaliterations maxtrainsteps totaltrainsteps',
    ),
    (
      Role.TOKENS_PER_STEP,
      'tokensperstep tokensperupdate tokensperbatch batchtokens tokensperiter'
      ' batchsizetokens batchsizeintokens totalbatchsize tokensperiteration',
    ),
    (Role.BYTES_PER_TOKEN, 'bytespertoken bytestoken bytespertok'),
    (
      Role.TOKENS_PER_PARAM,
      'tokensperparam tokensperparameter tokenparamratio tokensparams dn dovern'
      ' tokenperparam tokenparameterratio tpp dnratio paramdataratio dataparamratio'
      ' tokenstoparams targetparamdataratio tokensparamratio tokenparamsratio',
    ),
    (Role.BATCH_SIZE, 'batchsize bs gbs globalbatchsize batch trainbatchsize'),
    (
      Role.CONTEXT,
      'context contextlength contextlen contextsize contextwindow ctx ctxlen ctxlength'
      ' seqlen seqlength sequencelength sequencelen blocksize nctx maxseqlen'
      ' maxsequencelength maxseqlength trainseqlen',
    ),
    (
      Role.LEARNING_RATE,
      'lr learningrate peaklr peaklearningrate maxlr maxlearningrate eta η'
      ' lrpeak lrmax learningratepeak optimlr optimizerlr',
    ),
    (
      Role.EPOCHS,
      'epoch epochs numepochs nepochs trainepochs numtrainepochs trainepoch'
      ' epochstrained dataepochs epochsofdata',
    ),
    (
      Role.TEXT,
      'dataset corpus text data datasetname traindataset trainset trainingset'
      ' corpusname trainingdataset datamix mixture mix textname datasource'
      ' trainingcorpus',
    ),
    (Role.TOKENIZER, 'tokenizer tokenizername encoding bpe tokenization'),
    (Role.VOCAB_SIZE, 'vocabsize nvocab vocab v vocabularysize vocabulary'),
    (
      Role.EXPERIMENT,
      'experiment experimentname project projectname study suite family'
      ' modelfamily series paper',
    ),
    (Role.MODEL, 'model modelname config configname modelid'),
    (Role.UNIT, 'unit units lossunit lossunits unitofloss metricunit'),
  )
  for name in names.split()
}  # fmt: skip

# Whether a run with True counts: the last words of a name tell.
FLAGS_GOOD = listed(
  'finished completed complete done converged success succeeded successful'
  ' isfinished iscomplete iscompleted isdone annealed valid isvalid'
)
FLAGS_BAD = {
  'crashed': 'crashed', 'crash': 'crashed', 'failed': 'crashed',
  'failure': 'crashed', 'killed': 'crashed', 'oom': 'crashed',
  'preempted': 'crashed', 'diverged': 'diverged', 'divergence': 'diverged',
  'nan': 'diverged', 'unstable': 'diverged', 'blewup': 'diverged',
  'unfinished': 'unfinished', 'incomplete': 'unfinished',
  'running': 'unfinished', 'aborted': 'unfinished',
  'earlystopped': 'early_stopped', 'earlystop': 'early_stopped',
  'earlystopping': 'early_stopped', 'stoppedearly': 'early_stopped',
  'truncated': 'early_stopped', 'repeated': 'repeated_data',
  'repeateddata': 'repeated_data', 'datarepeated': 'repeated_data',
  'multiepoch': 'repeated_data', 'repeatsdata': 'repeated_data',
  'outlier': 'flagged', 'exclude': 'flagged', 'excluded': 'flagged',
  'invalid': 'flagged', 'ignore': 'flagged', 'discard': 'flagged',
}  # fmt: skip
