#include <xgrad/core/create.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduce.hpp>
#include <xgrad/ops/shape.hpp>

#include <cmath>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

const TensorOptions f64{.dtype = float64};

Tensor logits() {
  return tensor(std::vector<double>{1.5409961082440433, -0.2934289057609464, -2.1787893820745574,
                                    0.5684312772806678, -1.084522342424021, -1.3985953953708767,
                                    0.4033468476292993, 0.8380263329976598, -0.7192575784693592,
                                    -0.40334352493217457, -0.5966353626151273, 0.18203648506130554},
                {4, 3});
}

/// Value and gradient against PyTorch 2.13's.
template <class F>
void check(const char* what, const Tensor& at, F f, double value, const std::vector<double>& gradient) {
  INFO(what);
  const Tensor x = at.detach().set_requires_grad(true);
  const Tensor y = f(x);
  CHECK(y.item() == Approx(value).epsilon(1e-12));
  const std::vector<double> g = grad(y, x).to_vector<double>();
  for (std::size_t i = 0; i < gradient.size(); ++i)
    CHECK(g[i] == Approx(gradient[i]).epsilon(1e-11).margin(1e-14));
}

}  // namespace

TEST_CASE("losses and their gradients are PyTorch's") {
  const Tensor t = tensor({2, 0, 1, 2});
  const Tensor w = tensor({0.5, 2.0, 1.5}, f64);
  const Tensor b = tensor({{0, 1, 1}, {1, 0, 0}, {0.25, 0.5, 1.0}, {1, 1, 0}}, f64);
  const Tensor q = tensor(
      std::vector<double>{0.11252430521907891, 0.7966759499937925, 0.09079974478712848, 0.3588570614229215,
                          0.18017082656067068, 0.46097211201640786, 0.19710829182185294, 0.10633993029238144,
                          0.6965517778857655, 0.4756763134191267, 0.283736193474999, 0.24058749310587435},
      {4, 3});
  check("cross entropy with class indices", logits(), [&](const Tensor& x) { return cross_entropy(x, t); },
        1.3738756574737943,
        {0.21115855196509362, 0.03372314066750846, -0.24488169263260204, -0.06222147194970984,
         0.035956490360167244, 0.026264981589542574, 0.08711107697922259, -0.11545973307710247,
         0.028348656097879895, 0.06906240228286661, 0.0569240907538909, -0.12598649303675746});
  check("cross entropy with label smoothing", logits(),
        [&](const Tensor& x) { return cross_entropy(x, t, {.label_smoothing = 0.1}); }, 1.3852994039757054,
        {0.20282521863176028, 0.025389807334175125, -0.22821502596593538, -0.045554805283043176,
         0.027623157026833912, 0.017931648256209243, 0.07877774364588926, -0.09879306641043581,
         0.02001532276454656, 0.06072906894953328, 0.048590757420557566, -0.1093198263700908});
  check("cross entropy with class weights", logits(),
        [&](const Tensor& x) { return cross_entropy(x, t, {.class_weights = w}); }, 1.5030645352249978,
        {0.2303547839619203, 0.03678888072819104, -0.2671436646901113, -0.022625989799894487,
         0.01307508740369718, 0.0095509023961973, 0.1267070210606874, -0.16794142993033087,
         0.04123440886964348, 0.07534080249039994, 0.0620990080951537, -0.13743981058555357});
  check("cross entropy with both", logits(),
        [&](const Tensor& x) { return cross_entropy(x, t, {.label_smoothing = 0.2, .class_weights = w}); },
        1.5298594267304857,
        {0.21917518270216052, 0.011728925802918119, -0.23090410850507856, 0.012256256024383103,
         -0.006808974370828003, -0.0054472816535551145, 0.11219928026270219, -0.13250291035921793,
         0.02030363009651574, 0.06760595637445167, 0.0364766058950594, -0.10408256226951099});
  check("cross entropy with an ignored class", logits(),
        [&](const Tensor& x) { return cross_entropy(x, t, {.ignore_index = 2}); }, 0.45289753652758113,
        {0.0, 0.0, 0.0, -0.12444294389941968, 0.07191298072033449, 0.05252996317908515, 0.17422215395844518,
         -0.23091946615420494, 0.05669731219575979, 0.0, 0.0, 0.0});
  check("cross entropy with probabilities", logits(), [&](const Tensor& x) { return cross_entropy(x, q); },
        1.6123175155709055,
        {0.1830274756603239, -0.16544584683093969, -0.017581628829384167, 0.09806426269455978,
         -0.009086216280000427, -0.08897804641455939, 0.037834004023759346, 0.10795528434980216,
         -0.14578928837356148, -0.04985667607191506, -0.014009957614858855, 0.06386663368677395});
  check("cross entropy with weighted, smoothed probabilities", logits(),
        [&](const Tensor& x) { return cross_entropy(x, q, {.label_smoothing = 0.1, .class_weights = w}); },
        2.4633935377277894,
        {0.35070966832231115, -0.31647350437551636, -0.03423616394679474, 0.18857747384163964,
         -0.05310575457602637, -0.13547171926561327, 0.091588654299448, 0.11761947650181871,
         -0.2092081308012667, 0.024014073848720174, -0.07701210874417953, 0.05299803489545943});
  check("nll with class weights", logits(),
        [&](const Tensor& x) { return nll(log_softmax(x, 1), t, {.class_weights = w}); }, 1.5030645352249978,
        {0.2303547839619203, 0.03678888072819104, -0.2671436646901113, -0.022625989799894487,
         0.01307508740369718, 0.0095509023961973, 0.1267070210606874, -0.16794142993033087,
         0.04123440886964348, 0.07534080249039994, 0.0620990080951537, -0.13743981058555357});
  check("binary cross entropy", sigmoid(logits()),
        [&](const Tensor& x) { return binary_cross_entropy(x, b); }, 0.9399792170868567,
        {0.4724365852298113, -0.19508481978153128, -0.8196336034774521, -0.13053444062631794,
         0.11150526881634241, 0.10391196487916178, 0.12129994957250913, 0.07830151377745533,
         -0.25440904343718274, -0.20806841655719066, -0.23466652780871555, 0.18330483022297697});
  check("binary cross entropy with logits", logits(),
        [&](const Tensor& x) { return binary_cross_entropy_with_logits(x, b); }, 0.9399792170868567,
        {0.06863412361597751, -0.047736281485725264, -0.0748607128661132, -0.03013323984747419,
         0.021054263311247937, 0.01650325796597722, 0.02912429249698097, 0.016504114680740617,
         -0.056036959153304915, -0.049957559348262126, -0.05374051279224155, 0.045448655466432425});
  check("huber", logits(), [&](const Tensor& x) { return huber(x, b, {.delta = 0.7}); }, 0.6224567475686794,
        {0.05833333333333333, -0.05833333333333333, -0.05833333333333333, -0.035964060226611014,
         -0.05833333333333333, -0.05833333333333333, 0.012778903969108274, 0.02816886108313832,
         -0.05833333333333333, -0.05833333333333333, -0.05833333333333333, 0.015169707088442128});
  check("kl_div", logits(), [&](const Tensor& x) { return kl_div(log_softmax(x, 1), q); },
        0.24225488971243156,
        {0.061009158553441294, -0.05514861561031322, -0.0058605429431280555, 0.032688087564853266,
         -0.003028738760000141, -0.029659348804853127, 0.012611334674586448, 0.03598509478326738,
         -0.04859642945785383, -0.01661889202397169, -0.004669985871619618, 0.021288877895591314});
  check("mse", logits(), [&](const Tensor& x) { return mse(x, b); }, 2.093018093307332,
        {0.25683268470734055, -0.21557148429349104, -0.5297982303457596, -0.07192812045322203,
         -0.1807537237373368, -0.23309923256181278, 0.025557807938216548, 0.05633772216627664,
         -0.2865429297448932, -0.23389058748869576, -0.26610589376918786, 0.030339414176884256});
  check("mae", logits(), [&](const Tensor& x) { return mae(x, b); }, 1.1933789156915584,
        {0.08333333333333333, -0.08333333333333333, -0.08333333333333333, -0.08333333333333333,
         -0.08333333333333333, -0.08333333333333333, 0.08333333333333333, 0.08333333333333333,
         -0.08333333333333333, -0.08333333333333333, -0.08333333333333333, 0.08333333333333333});
}

TEST_CASE("binary cross entropy at probabilities of 0 and 1 is finite, with PyTorch's limits") {
  const Tensor p = tensor({0, 1, 0, 1}, {.dtype = float64, .requires_grad = true});
  const Tensor t = tensor({0, 1, 1, 0}, f64);
  const Tensor loss = binary_cross_entropy(p, t, {.reduction = Reduction::sum});
  CHECK(loss.item() == 200.0);
  CHECK(grad(loss, p).to_vector<double>() == std::vector<double>{0, 0, -1e12, 1e12});
}

TEST_CASE("with eps, binary cross entropy limits probabilities as Keras does") {
  const Tensor p = tensor({0.0, 0.5}, {.dtype = float64, .requires_grad = true});
  const Tensor loss =
      binary_cross_entropy(p, tensor({1.0, 1.0}, f64), {.eps = 1e-7, .reduction = Reduction::sum});
  CHECK(loss.item() == Approx(-std::log(1e-7) - std::log(0.5)).epsilon(1e-14));
  CHECK(grad(loss, p).to_vector<double>() == std::vector<double>{0, -2});
}

TEST_CASE("a sample-weighted mean divides by the number of samples") {
  const Tensor p = tensor({{1.0, 2.0}, {3.0, 4.0}}, f64), t = zeros({2, 2}, f64);
  CHECK(mse(p, t, {.sample_weight = tensor({1.0, 0.5}, f64)}).item() == Approx((1 + 4 + 4.5 + 8) / 4));
  const Tensor l = tensor({{0.0, 0.0}, {0.0, 0.0}}, f64);
  CHECK(cross_entropy(l, tensor({0, 1}), {.sample_weight = tensor({2.0, 0.0}, f64)}).item() ==
        Approx(std::log(2.0)));
}

TEST_CASE("cross entropy is sound for logits of any size") {
  const Tensor x = tensor({{1e4, -1e4, 0.0}}, {.dtype = float32, .requires_grad = true});
  const Tensor loss = cross_entropy(x, tensor({1}));
  CHECK(loss.item() == 2e4);
  loss.backward();
  CHECK(x.grad().to_vector<float>() == std::vector<float>{1, -1, 0});
}

TEST_CASE("cross entropy takes classes on axis 1 of any rank, with PyTorch's numbers") {
  const Tensor x = tensor({{{-1.0, 0.0}, {1.0, -0.5}, {0.5, -1.0}}, {{0.0, 1.0}, {-0.5, 0.5}, {-1.0, 0.0}}},
                          {.dtype = float64, .requires_grad = true});
  const Tensor t = tensor({{0, 2}, {1, 1}});
  const auto near = [](double v) { return Approx(v).epsilon(1e-12); };
  CHECK(cross_entropy(x, t).item<double>() == near(1.6489414828917985));
  const Tensor each = cross_entropy(x, t, {.reduction = Reduction::none});
  CHECK(each.shape() == Shape{2, 2});
  CHECK(each(0, 0).item<double>() == near(2.554956919641991));
  CHECK(each(0, 1).item<double>() == near(1.6802696706417346));
  CHECK(cross_entropy(x, t,
                      {.label_smoothing = 0.1,
                       .ignore_index = 2,
                       .class_weights = tensor({1.0, 2.0, 3.0}, {.dtype = float64})})
            .item<double>() == near(1.4629729255012922));
  CHECK(cross_entropy(x, softmax(2 * x, 1).detach()).item<double>() == near(0.8480175239885579));
  CHECK(cross_entropy(x(0, slice(), 0), tensor(2)).item<double>() == near(1.0549569196419908));
  CHECK(nll(log_softmax(x, 1), t, {.reduction = Reduction::sum}).item<double>() == near(6.595765931567194));
  // The gradient is that of the rows.
  cross_entropy(x, t, {.reduction = Reduction::sum}).backward();
  const Tensor expected = softmax(x, 1) - permute(one_hot(t, 3), {0, 2, 1}).astype(float64);
  CHECK(max(abs(x.grad() - expected)).item<double>() < 1e-15);
  CHECK_THROWS_WITH(cross_entropy(x, tensor({0, 1})), Catch::Contains("make them (2, 2)"));
}

TEST_CASE("losses refuse what does not fit, and say what does") {
  const Tensor p = zeros({4, 1}), x = zeros({4, 3});
  CHECK_THROWS_WITH(mse(p, zeros({4})), Catch::Contains("[mse] prediction (4, 1) and target (4,)") &&
                                            Catch::Contains("reshape the target to (4, 1)"));
  CHECK_THROWS_WITH(cross_entropy(x, tensor({0, 1, 3, 0})),
                    Catch::Contains("target 3 at position 2") && Catch::Contains("0 to 2"));
  CHECK_THROWS_AS(cross_entropy(x, tensor({0, 1, 3, 0})), IndexError);
  CHECK_THROWS_WITH(cross_entropy(x, tensor({0, 1})), Catch::Contains("make them (4,)"));
  CHECK_THROWS_WITH(cross_entropy(x, zeros({4})), Catch::Contains("astype(int64)"));
  CHECK_THROWS_WITH(cross_entropy(x, tensor({0, 1, 1, 0}), {.label_smoothing = 1.5}),
                    Catch::Contains("label_smoothing is 1.5"));
  CHECK_THROWS_WITH(huber(p, p, {.delta = 0}), Catch::Contains("delta is 0"));
  CHECK_THROWS_WITH(binary_cross_entropy(p, p, {.eps = 0.7}), Catch::Contains("eps is 0.7"));
  CHECK_THROWS_WITH(mse(p, p, {.sample_weight = zeros({3})}),
                    Catch::Contains("sample weights of shape (3,)"));
  CHECK_THROWS_AS(mse(tensor({1}), tensor({1})), DTypeError);
}

TEST_CASE("a loss with bound options is one to be called") {
  const Tensor p = tensor({0.0}), t = tensor({1.0});
  const auto keras = loss::binary_cross_entropy({.eps = 1e-7});
  CHECK(keras(p, t).item() == Approx(-std::log(1e-7f)).epsilon(1e-5));
  CHECK(loss::binary_cross_entropy(p, t).item() == 100);
  CHECK(loss::cross_entropy.logits);
}
