#include <xgrad/core/create.hpp>
#include <xgrad/io/dot.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/linalg.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

TEST_CASE("the drawing of a graph has its ops, shapes and parameters' names, each once") {
  const Tensor w = zeros({3, 2}, {.requires_grad = true});
  w.set_name("out.\"weight\"");
  const Tensor y = relu(matmul(ones({4, 3}), w)) * w(0, 0);
  CHECK(io::to_dot(y) ==
        "digraph xgrad {\n"
        "  rankdir = BT;\n"
        "  node [fontname = \"sans-serif\"];\n"
        "  n0 [label = \"mul (4, 2)\", shape = box];\n"
        "  n1 [label = \"relu (4, 2)\", shape = box];\n"
        "  n2 [label = \"slice ()\", shape = box];\n"
        "  n3 [label = \"matmul (4, 2)\", shape = box];\n"
        "  n4 [label = \"out.\\\"weight\\\" (3, 2)\", shape = ellipse];\n"
        "  n1 -> n0;\n"
        "  n2 -> n0;\n"
        "  n3 -> n1;\n"
        "  n4 -> n2;\n"
        "  n4 -> n3;\n"
        "}\n");
}

TEST_CASE("a long history is drawn without recursion") {
  const Tensor x = tensor(1.0, {.requires_grad = true});
  Tensor y = x;
  for (int i = 0; i < 100'000; ++i) y = y * 1.0;
  CHECK(io::to_dot(y).size() > 100'000);
}

TEST_CASE("drawing what was not recorded is an error") {
  CHECK_THROWS_AS(io::to_dot(ones({2})), GraphError);
  CHECK_THROWS_WITH(io::to_dot(ones({2})),
                    Catch::Contains("nothing was recorded for a tensor of shape (2,)"));
  CHECK_THROWS_AS(io::to_dot(Tensor()), GraphError);
}
