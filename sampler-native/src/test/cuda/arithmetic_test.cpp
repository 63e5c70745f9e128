// The arithmetic of the kernels against float64, on the host: g++ -std=c++17 -I../../main/cuda arithmetic_test.cpp
#include "arithmetic.cuh"
#include "checks.h"
#include "philox.cuh"

using namespace tt;

namespace {

const float EDGES[] = {0.0f,    -0.0f,   1.0f,    -1.0f,   0.5f,   -0.5f,   1e-6f,  -1e-6f,  1e-30f, -1e-30f, 1e-40f,  3.0f,    -3.0f,
                       -8.0f,   8.0f,    -12.0f,  20.0f,   -20.0f, 88.0f,   -88.0f, -89.0f,  104.0f, -104.0f, 1000.0f, -1000.0f, 65504.0f,
                       -65504.f, 1e10f, -1e10f, 3e38f,   -3e38f};

double gelu64(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double sigmoid64(double x) { return 1.0 / (1.0 + std::exp(-x)); }

void activation(float x) {
  // Four units in the last place of fp32 plus what expf's own argument rounding adds to large negative x; 1e-36 where fp32 runs out.
  double slope = 5e-7 + 1.3e-7 * std::fabs(x < 0 && x > -110 ? x : 0.0f);
  checks::near("silu", activate(x, SILU), x * sigmoid64(x), slope, 1e-36);
  checks::near("gelu", activate(x, GELU), gelu64(x), 1e-6 + 3e-7 * (x < 0 && x > -15 ? x * x : 0.0), 1e-37);
  checks::near("quick_gelu", activate(x, QUICK_GELU), x * sigmoid64((double)1.702f * x), 2 * slope, 1e-36);
  checks::equal("relu", activate(x, RELU), x > 0 ? x : 0.0);
  checks::near("leaky", activate(x, LEAKY_RELU_02), x > 0 ? x : 0.2 * x, 1e-7, 1e-44);
  checks::equal("none", activate(x, NONE), x);
}

void activations() {
  for (float x : EDGES) {
    activation(x);
  }
  checks::Random random(1);
  for (int i = 0; i < 100000; i++) {
    activation((float)(random.next() * 12));
  }
  for (int kind = NONE; kind <= LEAKY_RELU_02; kind++) {
    checks::that(std::isnan(activate(NAN, kind)) || kind == RELU, "nan stays", activate(NAN, kind), NAN);
    checks::equal("+inf stays", activate(INFINITY, kind), INFINITY);
  }
  checks::equal("silu(-inf)", activate(-INFINITY, SILU), 0);
  checks::equal("gelu(-inf)", activate(-INFINITY, GELU), 0);
  checks::equal("quick_gelu(-inf)", activate(-INFINITY, QUICK_GELU), 0);
  // The tanh approximation, which would be wrong for these models, gives 1.95459769.
  checks::near("gelu(2)", gelu(2.0f), 1.9544997361036416, 1e-6, 0);
  checks::near("epilogue", epilogue(1.0f, 0.75f, SILU, 2.0f, -1.0f), 1.75 * sigmoid64(1.75) * 2 - 1, 1e-6, 0);
  checks::equal("clamp low", clamp(-2.0f, -1.0f, 1.0f), -1);
  checks::equal("clamp high", clamp(2.0f, -1.0f, 1.0f), 1);
  checks::equal("clamp between", clamp(0.3f, -1.0f, 1.0f), 0.3f);
}

// Nearest 16-bit value to x by trying all of them: the definition, slow and sure.
template <typename T>
double nearest(double x) {
  double best = INFINITY;
  uint16_t best_bits = 0;
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    T candidate;
    candidate.bits = (uint16_t)bits;
    double value = to_float(candidate);
    if (std::isnan(value) || std::isinf(value)) {
      continue;
    }
    double distance = std::fabs(value - x);
    if (distance < best || (distance == best && (bits & 1) == 0)) {
      best = distance;
      best_bits = (uint16_t)bits;
    }
  }
  T result;
  result.bits = best_bits;
  return to_float(result);
}

template <typename T>
void rounding(const char* name, double smallest, double largest) {
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    T value;
    value.bits = (uint16_t)bits;
    float wide = to_float(value);
    if (std::isnan(wide)) {
      checks::that(std::isnan(to_float(from_float<T>(wide))), name, wide, wide);
    } else {
      checks::equal(name, from_float<T>(wide).bits, bits);
    }
  }
  checks::Random random(2);
  for (int i = 0; i < 150; i++) {
    float x = (float)(random.next() * std::pow(2.0, 20 * random.next() - 8));
    checks::equal(name, to_float(from_float<T>(x)), nearest<T>(x));
  }
  for (int i = 0; i < 30; i++) {
    float x = (float)(random.next() * smallest * 40);
    checks::equal(name, to_float(from_float<T>(x)), nearest<T>(x));
  }
  // Ties go to even.
  float one_up = to_float(from_float<T>(1.0f)) * (1 + (float)(sizeof(T) == 2 && std::strcmp(name, "fp16") == 0 ? 0x1p-11 : 0x1p-8));
  checks::equal(name, to_float(from_float<T>(one_up)), 1.0);
  checks::equal(name, to_float(from_float<T>((float)largest)), largest);
  checks::equal(name, to_float(from_float<T>(INFINITY)), INFINITY);
  checks::equal(name, to_float(from_float<T>(-INFINITY)), -INFINITY);
  checks::equal(name, to_float(from_float<T>(3.4e38f)), INFINITY);
  checks::that(std::signbit(to_float(from_float<T>(-0.0f))), name, 0, -0.0);
  uint32_t pair = pack2<T>(1.5f, -2.0f);
  T low, high;
  low.bits = (uint16_t)(pair & 0xffff);
  high.bits = (uint16_t)(pair >> 16);
  checks::equal("pack low", to_float(low), 1.5);
  checks::equal("pack high", to_float(high), -2.0);
}

void vectors() {
  half_t halves[8];
  for (int i = 0; i < 8; i++) {
    halves[i] = from_float<half_t>((float)i - 3.5f);
  }
  Vec<half_t> loaded = load16(halves);
  half_t copy[8];
  store16(copy, loaded);
  for (int i = 0; i < 8; i++) {
    checks::equal("load16", loaded.v[i], i - 3.5);
    checks::equal("store16", copy[i].bits, halves[i].bits);
  }
}

void moments() {
  // A mean of a thousand deviations: plain sums of squares would lose everything.
  for (double mean : {0.0, 3.0, 1000.0, -20000.0}) {
    checks::Random random(3);
    Moments all{0, 0, 0};
    double sum = 0;
    double values[4096];
    for (double& value : values) {
      value = (float)(mean + random.next());
      sum += value;
    }
    double expected_mean = sum / 4096;
    double expected_m2 = 0;
    for (double value : values) {
      expected_m2 += (value - expected_mean) * (value - expected_mean);
    }
    for (int part = 0; part < 16; part++) {
      float pivot = (float)values[part * 256];
      float total = 0, square = 0;
      for (int i = 0; i < 256; i++) {
        float d = (float)values[part * 256 + i] - pivot;
        total += d;
        square += d * d;
      }
      all = merge(all, moments_from_sums(256, pivot, total, square));
    }
    checks::equal("moments count", all.count, 4096);
    checks::near("moments mean", all.mean, expected_mean, 2e-7, 1e-6);
    checks::near("moments m2", all.m2, expected_m2, 1e-5 + 1e-8 * std::fabs(mean), 0);
  }
  Moments none = merge(Moments{0, 0, 0}, Moments{0, 0, 0});
  checks::equal("merge of nothing", none.count, 0);
  Moments one = merge(Moments{0, 0, 0}, Moments{3, 2, 1});
  checks::equal("merge with nothing", one.mean, 2);
  checks::equal("constant data", moments_from_sums(10, 5.0f, 0.0f, 0.0f).m2, 0);
  checks::near("inverse deviation", inverse_deviation(4.0f, 1e-5f), 1 / std::sqrt(4.00001), 1e-7, 0);
  checks::near("normalize", normalize(1001.0f, 1000.0f, 2.0f, 0.5f), 2.5, 0, 0);
}

void softmax() {
  checks::Random random(4);
  float values[100];
  double maximum = -INFINITY;
  for (float& value : values) {
    value = (float)(random.next() * 50);
    maximum = value > maximum ? value : maximum;
  }
  SoftmaxState state = softmax_empty();
  double sum = 0;
  for (float value : values) {
    state = merge(state, SoftmaxState{value, 1.0f});
    sum += std::exp(value - maximum);
  }
  checks::equal("softmax maximum", state.maximum, maximum);
  checks::near("softmax sum", state.sum, sum, 2e-6, 0);
  SoftmaxState masked = merge(softmax_empty(), SoftmaxState{-INFINITY, 1.0f});
  checks::equal("all masked so far", masked.sum, 0);
  masked = merge(masked, SoftmaxState{2.0f, 1.0f});
  checks::equal("then one", masked.sum, 1);
  checks::equal("masked weight", softmax_weight(-INFINITY, -INFINITY), 0);
}

void sampling() {
  checks::near("guide", guide(1.0f, 3.0f, 7.5f), 16.0, 1e-7, 0);
  checks::near("rescale", guide_rescaled(4.0f, 0.5f, 2.0f, 0.7f), 0.7 * 1.0 + 0.3 * 4.0, 1e-6, 0);
  checks::Random random(5);
  for (int i = 0; i < 1000; i++) {
    StepCoefficients c{random.next() * 15, random.next() * 15, i % 2 ? INFINITY : 1.0, random.next(), random.next(), random.next(),
                       i % 3 ? 0.0 : random.next(), i % 5 ? 0.0 : random.next()};
    float sample = (float)random.next(), model = (float)random.next(), history = (float)random.next(), noise = (float)random.next();
    double x0 = std::fmin(std::fmax(c.x0_sample * sample + c.x0_model * model, -c.clip_range), c.clip_range);
    double previous = c.prev_x0 * x0 + c.prev_sample * sample + c.prev_model * model + c.prev_history * history + c.prev_noise * noise;
    Stepped stepped = scheduler_step(c, sample, model, history, noise);
    checks::near("step x0", stepped.predicted_original, x0, 6e-8, 1e-30);
    checks::near("step previous", stepped.previous, previous, 6e-8, 1e-14);
  }
  StepCoefficients unused{1, 0, INFINITY, 1, 0, 0, 0, 0};
  checks::equal("unused history and noise may be NaN", scheduler_step(unused, 2.0f, 0.0f, NAN, NAN).previous, 2.0);

  for (int channels : {4, 7, 320}) {
    for (int flip = 0; flip < 2; flip++) {
      for (double shift : {0.0, 1.0}) {
        for (double timestep : {0.0, 1.0, 500.5, 999.0}) {
          int half = channels / 2;
          for (int channel = 0; channel < channels; channel++) {
            int j = channel % half;
            double phase = timestep * std::exp(-std::log(10000.0) * j / (half - shift));
            double expected = (channel < half) != (flip != 0) ? std::sin(phase) : std::cos(phase);
            // fp32 rounding of the exponent moves the phase by up to 1e-6 of itself, as it does in diffusers.
            checks::near("timestep embedding", timestep_embedding(timestep, channel, channels, flip != 0, shift),
                         channel < 2 * half ? expected : 0.0, 0, 1e-6 + 1.5e-6 * phase);
          }
        }
      }
    }
  }
}

void pictures() {
  checks::equal("-1", to_byte(-1.0f), 0);
  checks::equal("1", to_byte(1.0f), 255);
  checks::equal("0", to_byte(0.0f), 128);  // 127.5 to even
  checks::equal("-5", to_byte(-5.0f), 0);
  checks::equal("5", to_byte(5.0f), 255);
  checks::equal("inf", to_byte(INFINITY), 255);
  checks::equal("-inf", to_byte(-INFINITY), 0);
  checks::equal("nan", to_byte(NAN), 0);
  for (int byte = 0; byte < 256; byte++) {
    checks::equal("byte", to_byte((float)(byte / 255.0 * 2 - 1)), byte);
  }
}

void philox() {
  // Random123's kat_vectors, philox4x32 10.
  const uint32_t vectors[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  for (auto& v : vectors) {
    PhiloxBlock block = philox_4x32_10(PhiloxBlock{{v[0], v[1], v[2], v[3]}}, v[4], v[5]);
    for (int i = 0; i < 4; i++) {
      checks::equal("philox", block.word[i], v[6 + i]);
    }
  }
  double sum = 0, square = 0;
  int count = 100000;
  for (int i = 0; i < count / 2; i++) {
    NormalPair pair = philox_normal(42, 0, (uint64_t)i);
    sum += pair.even + pair.odd;
    square += (double)pair.even * pair.even + (double)pair.odd * pair.odd;
  }
  checks::near("normal mean", sum / count, 0, 0, 5 / std::sqrt(count));
  checks::near("normal variance", square / count, 1, 0, 5 * std::sqrt(2.0 / count));
  checks::that(philox_uniform(0, 0) > 0, "uniform above 0", philox_uniform(0, 0), 0);
  checks::that(philox_uniform(0xffffffff, 0xffffffff) < 1, "uniform below 1", philox_uniform(0xffffffff, 0xffffffff), 1);
}

}  // namespace

int main() {
  activations();
  rounding<half_t>("fp16", 5.960464477539063e-8, 65504);
  rounding<bf16_t>("bf16", 1e-38, 3.3895313892515355e38);
  vectors();
  moments();
  softmax();
  sampling();
  pictures();
  philox();
  return checks::summary("arithmetic against float64");
}
