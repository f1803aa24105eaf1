"""From records to laws: works without a model or a corpus."""
