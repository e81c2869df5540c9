"""Moving pictures: what a study computes, step by step, drawn from the tensors that its own functions give."""
