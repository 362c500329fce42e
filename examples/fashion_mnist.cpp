// Fashion-MNIST: 70,000 photographs of clothes, 28 × 28 pixels, in ten classes (Xiao, Rasul & Vollgraf 2017).
// This is a whole job: read the files, train, look at data that training has not seen, save, reload, predict.
//
//     fashion_mnist [--epochs 5] [--batch-size 128] [--lr 0.001] [--seed 0] [--threads N] [--data FOLDER]
//                   [--model FILE] [--history FILE]
#include <getopt.h>
#include <xgrad/xgrad.hpp>

#include "tutorial.hpp"

using namespace xgrad;

namespace {

// The model is a struct of its layers, and what it does is its call. Dropout zeroes a fifth of the
// activations while training, so that no unit comes to rely on another, and does nothing when the model is
// evaluated.
struct Mlp {
  nn::Linear first{784, 512};
  nn::Linear second{512, 512};
  nn::Linear out{512, 10};
  nn::Dropout drop{0.2};
  Tensor operator()(const Tensor& x) const { return out(drop(relu(second(drop(relu(first(x))))))); }
};

struct Options {
  int epochs = 5;
  std::int64_t batch_size = 128;
  double lr = 1e-3;
  std::uint64_t seed = 0;
  std::string data = "/usr/share/datasets/fashion-mnist";
  std::string model = "model.safetensors";
  std::string history = "history.csv";
};

Options parse(int argc, char** argv) {
  const option names[] = {
      {"epochs", 1, nullptr, 'e'}, {"batch-size", 1, nullptr, 'b'}, {"lr", 1, nullptr, 'l'},
      {"seed", 1, nullptr, 's'},   {"threads", 1, nullptr, 't'},    {"data", 1, nullptr, 'd'},
      {"model", 1, nullptr, 'm'},  {"history", 1, nullptr, 'h'},    {nullptr, 0, nullptr, 0}};
  Options o;
  for (int c = 0; (c = getopt_long(argc, argv, "", names, nullptr)) != -1;) {
    switch (c) {
      case 'e':
        o.epochs = std::atoi(optarg);
        break;
      case 'b':
        o.batch_size = std::atoi(optarg);
        break;
      case 'l':
        o.lr = std::atof(optarg);
        break;
      case 's':
        o.seed = std::strtoull(optarg, nullptr, 10);
        break;
      case 't':
        set_num_threads(std::atoi(optarg));
        break;
      case 'd':
        o.data = optarg;
        break;
      case 'm':
        o.model = optarg;
        break;
      case 'h':
        o.history = optarg;
        break;
      default:
        std::exit(2);  // getopt has said what is wrong
    }
  }
  return o;
}

// Images come as bytes, (N, 28, 28): a row of 784 numbers between 0 and 1 for each.
Tensor images(const std::string& path) {
  return data::read_idx(path).reshape({-1, 784}).astype(float32) / 255.0;
}

// An image as text, two columns a pixel wide so that it is square.
void draw(const Tensor& image) {
  const std::vector<float> pixels = image.to_vector<float>();
  const char* shades[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  for (std::size_t row = 0; row < 28; row += 2) {
    std::printf("    ");
    for (std::size_t col = 0; col < 28; col += 2) {
      const std::size_t at = row * 28 + col;
      const float mean = (pixels[at] + pixels[at + 1] + pixels[at + 28] + pixels[at + 29]) / 4;
      std::printf("%s", shades[static_cast<int>(mean * 4.99f)]);
    }
    std::printf("\n");
  }
}

int run(const Options& o) {
  section("1. The data");
  const Tensor x = images(o.data + "/train-images-idx3-ubyte.gz");
  const Tensor y = data::read_idx(o.data + "/train-labels-idx1-ubyte.gz").astype(int64);
  const Tensor x_test = images(o.data + "/t10k-images-idx3-ubyte.gz");
  const Tensor y_test = data::read_idx(o.data + "/t10k-labels-idx1-ubyte.gz").astype(int64);
  std::printf("  %lld images to learn from, %lld to be judged by\n", static_cast<long long>(x.size(0)),
              static_cast<long long>(x_test.size(0)));

  // Networks learn best from numbers around 0 of size 1. The mean and spread are those of the training
  // images: the test images are to be as strange to the model as any that come later.
  const data::Normalizer normalized(x, {.axes = every_axis});

  section("2. Training");
  // All randomness flows from the seed: initial weights, dropout, and the order of the images. The last tenth
  // of the training images is held out, and shows after each epoch how the model does on what it has not
  // seen.
  manual_seed(o.seed);
  Mlp model;
  std::printf("%s", nn::summary(model, {1, 784}).c_str());
  Trainer trainer(model, optim::Adam(nn::parameters(model), {.lr = o.lr}), loss::cross_entropy,
                  {metric::accuracy()});
  const std::int64_t steps = o.epochs * ((x.size(0) * 9 / 10 + o.batch_size - 1) / o.batch_size);
  // Large steps first, then ever smaller ones, so that the weights come to rest.
  const Callback decay =
      learning_rate_scheduler(optim::linear({.from = 1, .to = 0, .steps = steps}), {.per_batch = true});
  const History history = trainer.fit(normalized(x), y,
                                      {.epochs = o.epochs,
                                       .batch_size = o.batch_size,
                                       .seed = o.seed,
                                       .validation_split = 0.1,
                                       .callbacks = {decay}});
  history.write_csv(o.history);

  section("3. The verdict");
  const auto [loss, accuracy] = trainer.evaluate(normalized(x_test), y_test, {.batch_size = 1000});
  std::printf("  test accuracy %.2f%%, loss %.4f\n", 100 * accuracy, loss);
  expect(accuracy >= (o.epochs >= 5 ? 0.88 : 0.80),
         o.epochs >= 5 ? "at least 88%" : "at least 80% after so little training");

  section("4. Saving and reloading");
  io::save(o.model, nn::state_dict(model));
  Mlp reloaded;
  nn::load_state_dict(reloaded, io::load(o.model));
  Trainer judge(reloaded, optim::Adam(nn::parameters(reloaded)), loss::cross_entropy);
  const Tensor ten = normalized(x_test(slice(0, 10)));
  const Tensor scores = judge.predict(ten);
  expect(all(scores == trainer.predict(ten)).item<bool>(),
         "the reloaded model predicts the same, to the bit");

  section("5. Ten predictions");
  const char* names[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                         "sandal",  "shirt",    "sneaker",  "bag",   "boot"};
  const std::vector<std::int64_t> guesses = scores.argmax(1).to_vector<std::int64_t>();
  const Tensor certainty = softmax(scores).max(1);
  for (std::int64_t i = 0; i < 10; ++i) {
    const auto guess = guesses[static_cast<std::size_t>(i)], truth = y_test(i).item<std::int64_t>();
    std::printf("\n  %s, says the model, %.0f%% sure%s%s\n", names[guess], 100 * certainty(i).item(),
                guess == truth ? "" : "; it is: ", guess == truth ? "" : names[truth]);
    draw(x_test(i));
  }
  return result();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
