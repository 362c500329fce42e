#pragma once

/// \file
/// Everything in nn/.

#include <xgrad/nn/activations.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/model.hpp>
#include <xgrad/nn/parameter.hpp>
#include <xgrad/nn/sequential.hpp>
