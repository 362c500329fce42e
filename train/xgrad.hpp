#pragma once

/// \file
/// Everything that a model needs. It reaches no xtensor header (for those there is <xgrad/xtensor.hpp>), no SIMD code
/// (<xgrad/ops/fused.hpp>) and no standard header that is dear to compile; tests/consumer/includes.cpp holds it to
/// that. It lives in the topmost layer because it names all of them.

#include <xgrad/core/check.hpp>
#include <xgrad/core/create.hpp>
#include <xgrad/core/errors.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/print.hpp>
#include <xgrad/core/random.hpp>
#include <xgrad/core/state_dict.hpp>
#include <xgrad/core/tensor.hpp>
#include <xgrad/core/threads.hpp>
#include <xgrad/core/version.hpp>
#include <xgrad/data/csv.hpp>
#include <xgrad/data/dataset.hpp>
#include <xgrad/data/idx.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/io/dot.hpp>
#include <xgrad/io/npy.hpp>
#include <xgrad/io/safetensors.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/random.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>
#include <xgrad/optim/adam.hpp>
#include <xgrad/optim/clip.hpp>
#include <xgrad/optim/rmsprop.hpp>
#include <xgrad/optim/schedule.hpp>
#include <xgrad/optim/sgd.hpp>
#include <xgrad/train/callback.hpp>
#include <xgrad/train/history.hpp>
#include <xgrad/train/metric.hpp>
#include <xgrad/train/trainer.hpp>
