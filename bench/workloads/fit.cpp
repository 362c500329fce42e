// Training through `fit`. Its floor is the bare step, a loop over the batches of the same data in order, so
// that seconds over floor are what the trainer, its metrics, its shuffling and its loader cost.
#include "models.hpp"
#include "workload.hpp"

namespace {

using namespace xgrad;
using bench::Step;

struct Job {
  Tensor x, y;
  std::int64_t batch_size;
  int epochs;  // of one fit, which is one call

  int batches() const { return static_cast<int>(x.size(0) / batch_size); }
  int steps() const { return epochs * batches(); }
};

/// The tutorial's: four samples, batch 1.
Job exclusive_or() {
  return {tensor({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}), tensor({{0.0}, {1.0}, {1.0}, {0.0}}), 1,
          100};
}
constexpr int exclusive_or_steps = 400;

/// 51 MB of images: more than a cache holds, so that a shuffled batch is gathered from memory.
Job mlp() {
  constexpr std::int64_t samples = 16384;
  return {rand({samples, 784}), randint(0, 10, {samples}), 128, 2};
}
constexpr int mlp_steps = 256;

/// Each call is one silent fit with a metric.
template <class Model, class Loss>
Step fit(const Job& job, Loss loss, bool shuffle) {
  struct State {
    Model model;
    Trainer<Model, 1> trainer;
    Job job;
    State(const Job& j, Loss loss)
        : trainer(model, optim::Adam(nn::parameters(model), {.lr = bench::learning_rate}), loss,
                  {metric::accuracy()}),
          job(j) {}
  };
  auto state = std::make_shared<State>(job, loss);
  return [state, shuffle] {
    const Job& j = state->job;
    state->trainer.fit(j.x, j.y,
                       {.epochs = j.epochs, .batch_size = j.batch_size, .shuffle = shuffle, .verbose = 0});
  };
}

/// Each call is as many bare steps as that fit takes.
template <class Model, class Loss>
Step bare(const Job& job, Loss loss) {
  std::vector<Tensor> xs, ys;
  for (std::int64_t i = 0; i < job.batches(); ++i) {
    const auto rows = slice(i * job.batch_size, (i + 1) * job.batch_size);
    xs.push_back(job.x(rows));
    ys.push_back(job.y(rows));
  }
  return [step = bench::training<Model>(xs, ys, loss), steps = job.steps()] {
    for (int i = 0; i < steps; ++i) step();
  };
}

using Make = std::function<Step(int)>;

Make seeded(std::function<Step()> make) {
  return [make](int) {
    manual_seed(1);
    return make();
  };
}

const bench::Register fits{
    {.name = "fit_xor",
     .system = "xgrad",
     .make = seeded([] { return fit<bench::Xor>(exclusive_or(), loss::binary_cross_entropy, false); }),
     .steps = exclusive_or_steps},
    {.name = "fit_xor",
     .system = "floor",
     .make = seeded([] { return bare<bench::Xor>(exclusive_or(), loss::binary_cross_entropy); }),
     .steps = exclusive_or_steps},
    {.name = "fit_mlp_b128",
     .system = "xgrad",
     .make = seeded([] { return fit<bench::Mlp>(mlp(), loss::cross_entropy, true); }),
     .steps = mlp_steps},
    {.name = "fit_mlp_b128",
     .system = "floor",
     .make = seeded([] { return bare<bench::Mlp>(mlp(), loss::cross_entropy); }),
     .steps = mlp_steps},
};

}  // namespace
