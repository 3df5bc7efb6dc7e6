"""Binary networks: weights and activations of one bit, as their sources have them.

A binary layer is a convolution or gemm on weights, and inputs, of format ``binary``; behind it come a batch
normalization and a sign, which is 1 at zero. What a source keeps in full precision are ordinary operators.
"""

from workloads.binary import digits, finn, resnet, vgg

WORKLOADS = (vgg.WORKLOAD, resnet.WORKLOAD, finn.MLP, finn.CNV, digits.MLP, digits.CNN)
