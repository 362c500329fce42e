// Fashion-MNIST: a real job, from files to a trained, saved and reloaded model.
//
// 70,000 grey images of 28 × 28 pixels, each of one of ten kinds of clothing (Xiao, Rasul and Vollgraf 2017).
// A multi-layer perceptron learns to name them. Run it without arguments; --help says what can be changed.
#include <getopt.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

// The model: two hidden layers. Dropout switches every fifth unit off at random while training, so that none
// can rely on another; it is what keeps the model from learning the training images by heart.
struct Mlp {
  nn::Linear hidden1{784, 512}, hidden2{512, 512}, out{512, 10};
  nn::Dropout drop{0.2};

  Tensor operator()(const Tensor& x) const {
    const Tensor h = drop(relu(hidden1(x)));
    return out(drop(relu(hidden2(h))));  // ten logits: the larger, the likelier
  }
};

struct Options {
  int epochs = 5, batch = 128, threads = 0;
  double lr = 1e-3;
  std::uint64_t seed = 0;
  std::string data = "/usr/share/datasets/fashion-mnist", model = "fashion_mnist.safetensors", history;
};

constexpr const char* usage =
    "options: --epochs N --batch-size N --lr X --seed N --threads N (0: all)\n"
    "         --data FOLDER --model FILE --history FILE --help\n";

[[noreturn]] void refuse(const std::string& mistake) {
  std::fprintf(stderr, "fashion_mnist: %s\n%s", mistake.c_str(), usage);
  std::exit(2);
}

// The number that an option was given: all of its text must be one, and not below `least`.
template <class T>
T number(const std::string& option, const std::string& text, T least) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || !(value >= least))
    refuse("--" + option + " takes " + (std::is_integral_v<T> ? "an integer" : "a number") + " from " +
           std::to_string(static_cast<int>(least)) + " up, not '" + text + "'");
  return value;
}

Options parse(int argc, char** argv) {
  static const option flags[] = {
      {"epochs", required_argument, nullptr, 'e'},  {"batch-size", required_argument, nullptr, 'b'},
      {"lr", required_argument, nullptr, 'l'},      {"seed", required_argument, nullptr, 's'},
      {"threads", required_argument, nullptr, 't'}, {"data", required_argument, nullptr, 'd'},
      {"model", required_argument, nullptr, 'm'},   {"history", required_argument, nullptr, 'y'},
      {"help", no_argument, nullptr, 'h'},          {}};
  Options o;
  opterr = 0;  // the messages are ours
  int index = 0;
  for (int flag; (flag = getopt_long(argc, argv, "", flags, &index)) != -1;) {
    if (flag == '?')
      refuse(std::string("'") + argv[optind - 1] + "' is none of the options, or lacks its value");
    const char* const name = flags[index].name;
    if (flag == 'e') o.epochs = number(name, optarg, 1);
    if (flag == 'b') o.batch = number(name, optarg, 1);
    if (flag == 'l') o.lr = number(name, optarg, 0.0);
    if (flag == 's') o.seed = number(name, optarg, std::uint64_t{0});
    if (flag == 't') o.threads = number(name, optarg, 0);
    if (flag == 'd') o.data = optarg;
    if (flag == 'm') o.model = optarg;
    if (flag == 'y') o.history = optarg;
    if (flag == 'h') std::exit(std::fputs(usage, stdout) < 0);
  }
  if (optind < argc) refuse(std::string("what is '") + argv[optind] + "'?");
  return o;
}

// Images side by side: of each 2 × 4 pixels one character.
void show_images(const Tensor& images, std::int64_t first, std::int64_t count) {
  const char* const shades[] = {" ", "░", "▒", "▓", "█"};
  const Tensor cells =
      images(slice(first, first + count)).reshape({count, 7, 4, 14, 2}).astype(float32).mean({2, 4});
  for (int row = 0; row < 7; ++row, std::puts(""))
    for (int i = 0; i < count; ++i, std::printf("  "))
      for (int column = 0; column < 14; ++column)
        std::printf("%s", shades[static_cast<int>(cells(i, row, column).item() / 256 * 5)]);
}

int run(const Options& o) {
  if (o.threads > 0) set_num_threads(o.threads);
  manual_seed(o.seed);
  if (access((o.data + "/train-images-idx3-ubyte.gz").c_str(), R_OK) != 0)
    throw IoError("fashion_mnist", "no images in " + o.data + ": `apt install dataset-fashion-mnist` or " +
                                       "./setup.sh installs them; --data FOLDER says where else they are");

  // The pixels, as bytes, and the labels, 0 to 9. The normalizer measures the training images, and is then
  // applied to every image: mean 0, spread 1.
  const Tensor train_images = data::read_idx(o.data + "/train-images-idx3-ubyte.gz").reshape({-1, 784});
  const Tensor train_labels = data::read_idx(o.data + "/train-labels-idx1-ubyte.gz");
  const data::Normalizer normalize(train_images, {.axes = every_axis});

  // The last 5,000 training images are set aside: how the model does on them says when to stop, and which
  // options are good. The test images are for the end, once.
  const auto [train, validation] = data::split({normalize(train_images), train_labels}, 5000.0 / 60000);
  std::printf("%d images to learn from, %d set aside\n\n", static_cast<int>(train.size()),
              static_cast<int>(validation.size()));

  Mlp model;
  std::printf("%s\n", nn::summary(model, {1, 784}).c_str());
  const std::int64_t steps = o.epochs * ((train.size() + o.batch - 1) / o.batch);
  Trainer trainer(model, optim::Adam(nn::parameters(model), {.lr = o.lr}), loss::cross_entropy,
                  {metric::accuracy()});
  const History history =
      trainer.fit(train.x, train.y,
                  {.epochs = o.epochs,
                   .batch_size = o.batch,
                   .validation_data = validation,
                   .callbacks = {learning_rate_scheduler(optim::linear({.from = 1, .to = 0, .steps = steps}),
                                                         {.per_batch = true})}});
  if (!o.history.empty()) history.write_csv(o.history);

  const Tensor test_images = data::read_idx(o.data + "/t10k-images-idx3-ubyte.gz").reshape({-1, 784});
  const Tensor test_labels = data::read_idx(o.data + "/t10k-labels-idx1-ubyte.gz");
  const auto [loss, accuracy] = trainer.evaluate(normalize(test_images), test_labels);
  std::printf("\ntest loss %.4f, test accuracy %.2f%%\n", loss, 100 * accuracy);

  // Save, and go on with a model that comes from the file, as another program would.
  io::save(o.model, nn::state_dict(model));
  Mlp restored;
  nn::load_state_dict(restored, io::load(o.model));
  nn::eval(restored);  // no dropout any more

  const char* const names[] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                               "sandal",  "shirt",   "sneaker",  "bag",   "boot"};
  std::printf("\nThe first ten test images, read by the model from %s:\n", o.model.c_str());
  const Tensor ten = normalize(test_images(slice(0, 10)));
  const Tensor logits = restored(ten), predicted = argmax(logits, 1);
  for (int first = 0; first < 10; first += 5) {
    show_images(test_images, first, 5);
    for (int i = first; i < first + 5; ++i) std::printf("%-14s  ", names[predicted(i).item<int>()]);
    std::puts("");
    for (int i = first; i < first + 5; ++i) {
      const bool right = predicted(i).item<int>() == test_labels(i).item<int>();
      std::printf("%-14s  ",
                  right ? "right" : (std::string("is a ") + names[test_labels(i).item<int>()]).c_str());
    }
    std::puts("");
  }
  const bool same = all(logits == trainer.predict(ten)).item<bool>();
  std::printf("\nThe reloaded model %s the trained one's answers.\n", same ? "gives" : "does not give");
  // What must be reached; less in a quick run of fewer epochs.
  return same && accuracy >= (o.epochs >= 5 ? 0.88 : 0.80) ? 0 : 1;
}

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const Error& error) {  // a file that is not there, an option that makes no sense: it says which
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
