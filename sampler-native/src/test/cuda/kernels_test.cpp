// The kernels' own bodies, run on the CPU by the emulator, against float64: shapes that divide evenly and shapes that do not, three storage types, fibers in
// forward and in backward order (a missing barrier would make the two differ). Buffers end at an unmapped page, so that reading or writing past the end is
// a crash, and outputs start as NaN, so that an element nobody wrote is a failure.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "checks.h"
#include "emulator.h"

using namespace tt;

namespace {

struct Buffer {
  char* mapped;
  size_t length;
  char* data;
  explicit Buffer(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    // 16 bytes of slack at most, since the kernels rely on aligned addresses.
    size_t padded = (bytes + 15) / 16 * 16;
    length = (padded + page - 1) / page * page + page;
    mapped = static_cast<char*>(mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(mapped + length - page, page, PROT_NONE);
    data = mapped + length - page - padded;
    memset(data, 0xff, padded);
  }
  ~Buffer() { munmap(mapped, length); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};

template <typename T>
const char* suffix();
template <>
const char* suffix<float>() {
  return "f32";
}
template <>
const char* suffix<half_t>() {
  return "f16";
}
template <>
const char* suffix<bf16_t>() {
  return "bf16";
}

// Half a unit in the last place of the storage type, plus what sums of some length lose in fp32.
template <typename T>
double tolerance() {
  return sizeof(T) == 4 ? 3e-6 : (std::strcmp(suffix<T>(), "f16") == 0 ? 6e-4 : 4.5e-3);
}

template <typename T>
struct Array {
  Buffer buffer;
  int64_t count;
  explicit Array(int64_t n) : buffer((size_t)n * sizeof(T)), count(n) {}
  T* data() { return reinterpret_cast<T*>(buffer.data); }
  double get(int64_t i) { return to_float(data()[i]); }
};

template <typename T>
Array<T>* random_array(int64_t n, checks::Random& random, double scale = 1.0, double offset = 0.0) {
  auto* array = new Array<T>(n);
  for (int64_t i = 0; i < n; i++) {
    array->data()[i] = from_float<T>((float)(offset + scale * random.next()));
  }
  return array;
}

struct Arguments {
  std::vector<uint64_t> values;
  std::vector<void*> pointers;
  template <typename A>
  Arguments& add(A value) {
    uint64_t word = 0;
    memcpy(&word, &value, sizeof value);
    values.push_back(word);
    return *this;
  }
  void** get() {
    pointers.clear();
    for (auto& value : values) {
      pointers.push_back(&value);
    }
    return pointers.data();
  }
};

void launch(const std::string& name, emulator::Dim grid, int threads, size_t shared_bytes, Arguments arguments) {
  auto found = emulator::kernels().find(name);
  if (found == emulator::kernels().end()) {
    printf("no kernel %s\n", name.c_str());
    exit(1);
  }
  checks::equal(name.c_str(), emulator::launch(found->second, grid, threads, shared_bytes, arguments.get()), 0);
}

// Runs in both orders of fibers and compares all bits, then each element with what is expected.
template <typename T>
void check(const std::string& name, Array<T>& out, double extra, const std::function<void()>& run, const std::function<double(int64_t)>& expected) {
  emulator::set_order(1);
  run();
  std::vector<char> backward(out.buffer.data, out.buffer.data + out.count * sizeof(T));
  memset(out.buffer.data, 0xff, out.count * sizeof(T));
  emulator::set_order(0);
  run();
  checks::that(memcmp(backward.data(), out.buffer.data, backward.size()) == 0, (name + " same bits in any order").c_str(), 0, 0);
  for (int64_t i = 0; i < out.count; i++) {
    checks::near(name.c_str(), out.get(i), expected(i), tolerance<T>(), extra);
  }
}

double gelu64(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double silu64(double x) { return x / (1 + std::exp(-x)); }

template <typename T>
std::string named(const char* kernel) {
  return std::string("tt_") + kernel + "_" + suffix<T>();
}

template <typename T>
void group_norm(int samples, int pixels, int channels, int groups, int chunk, int activation, double offset, int small_threads = 0, bool biased = false) {
  checks::Random random(7);
  auto* x = random_array<T>((int64_t)samples * pixels * channels, random, 1.0, offset);
  auto* scale = random_array<float>(channels, random);
  auto* shift = random_array<float>(channels, random);
  // Lies in wider rows, as the projections of a time embedding do.
  int bias_stride = channels + 3;
  auto* bias = random_array<T>((int64_t)samples * bias_stride, random, 2.0);
  const T* given_bias = biased ? bias->data() : nullptr;
  int chunks = (pixels + chunk - 1) / chunk;
  Array<float> partial((int64_t)samples * chunks * groups * 2);
  Array<T> out((int64_t)samples * pixels * channels);
  int block_pixels = 5;
  auto run = [&] {
    if (small_threads > 0) {
      launch(named<T>("group_norm_small"), {groups, samples, 1}, small_threads, (size_t)pixels * channels / groups * sizeof(T),
             Arguments().add(x->data()).add(given_bias).add(bias_stride).add(out.data()).add(scale->data()).add(shift->data()).add(pixels).add(channels).add(groups).add(1e-5f).add(activation));
      return;
    }
    launch(named<T>("group_norm_moments"), {chunks, samples, 1}, 256, (2 * channels + 2 * 256 * Vec<T>::N) * 4,
           Arguments().add(x->data()).add(given_bias).add(bias_stride).add(partial.data()).add(pixels).add(channels).add(groups).add(chunk));
    launch(named<T>("group_norm_apply"), {(pixels + block_pixels - 1) / block_pixels, samples, 1}, 256, 3 * channels * 4,
           Arguments().add(x->data()).add(given_bias).add(bias_stride).add(out.data()).add(partial.data()).add(scale->data()).add(shift->data()).add(pixels).add(channels).add(groups)
               .add(chunks).add(chunk).add(block_pixels).add(1e-5f).add(activation));
  };
  auto input = [&](int64_t i) {
    int64_t n = i / ((int64_t)pixels * channels);
    return x->get(i) + (biased ? bias->get(n * bias_stride + i % channels) : 0.0);
  };
  int per_group = channels / groups;
  std::vector<double> mean(samples * groups), inverse(samples * groups);
  for (int n = 0; n < samples; n++) {
    for (int g = 0; g < groups; g++) {
      double sum = 0, square = 0;
      for (int pass = 0; pass < 2; pass++) {
        for (int p = 0; p < pixels; p++) {
          for (int c = 0; c < per_group; c++) {
            double value = input(((int64_t)n * pixels + p) * channels + g * per_group + c);
            if (pass == 0) {
              sum += value;
            } else {
              double d = value - sum / (pixels * per_group);
              square += d * d;
            }
          }
        }
      }
      mean[n * groups + g] = sum / (pixels * per_group);
      inverse[n * groups + g] = 1 / std::sqrt(square / (pixels * per_group) + 1e-5);
    }
  }
  check<T>(named<T>("group_norm"), out, 4e-6 * (1 + std::fabs(offset)), run, [&](int64_t i) {
    int c = (int)(i % channels);
    int n = (int)(i / ((int64_t)pixels * channels));
    int g = n * groups + c / per_group;
    double y = (input(i) - mean[g]) * inverse[g] * scale->get(c) + shift->get(c);
    return activation == SILU ? silu64(y) : y;
  });
  delete x;
  delete scale;
  delete bias;
  delete shift;
}

template <typename T>
void layer_norm(int rows, int columns) {
  checks::Random random(8);
  auto* x = random_array<T>((int64_t)rows * columns, random, 2.0, 3.0);
  auto* scale = random_array<float>(columns, random);
  auto* shift = random_array<float>(columns, random);
  Array<T> out((int64_t)rows * columns);
  check<T>(
      named<T>("layer_norm"), out, 1e-5,
      [&] {
        launch(named<T>("layer_norm"), {2, 1, 1}, 128, 0,
               Arguments().add(x->data()).add(out.data()).add(scale->data()).add(shift->data()).add((int64_t)rows).add(columns).add(1e-5f));
      },
      [&](int64_t i) {
        int64_t row = i / columns;
        double mean = 0, square = 0;
        for (int c = 0; c < columns; c++) {
          mean += x->get(row * columns + c) / columns;
        }
        for (int c = 0; c < columns; c++) {
          double d = x->get(row * columns + c) - mean;
          square += d * d / columns;
        }
        int c = (int)(i % columns);
        return (x->get(i) - mean) / std::sqrt(square + 1e-5) * scale->get(c) + shift->get(c);
      });
  delete x;
  delete scale;
  delete shift;
}

template <typename T>
void attention(const std::string& kernel, int n, int queries, int keys, int heads, int dim, bool causal, int block_queries, size_t shared_bytes) {
  checks::Random random(9);
  int width = heads * dim;
  auto* q = random_array<T>((int64_t)n * queries * width, random, 2.0);
  auto* k = random_array<T>((int64_t)n * keys * width, random, 2.0);
  auto* v = random_array<T>((int64_t)n * keys * width, random);
  Array<T> out((int64_t)n * queries * width);
  float scale = (float)(1 / std::sqrt(dim));
  std::vector<double> expected(out.count, 0);
  std::vector<double> weights(keys);
  for (int item = 0; item < n; item++) {
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < queries; i++) {
        double maximum = -INFINITY, sum = 0;
        int visible = causal ? i + 1 : keys;
        for (int j = 0; j < visible; j++) {
          double score = 0;
          for (int d = 0; d < dim; d++) {
            score += q->get(((int64_t)item * queries + i) * width + head * dim + d) * k->get(((int64_t)item * keys + j) * width + head * dim + d);
          }
          weights[j] = score * scale;
          maximum = std::fmax(maximum, weights[j]);
        }
        for (int j = 0; j < visible; j++) {
          weights[j] = std::exp(weights[j] - maximum);
          sum += weights[j];
        }
        for (int j = 0; j < visible; j++) {
          for (int d = 0; d < dim; d++) {
            expected[((int64_t)item * queries + i) * width + head * dim + d] +=
                weights[j] / sum * v->get(((int64_t)item * keys + j) * width + head * dim + d);
          }
        }
      }
    }
  }
  // The weights are rounded to the storage type before they meet the values.
  check<T>(
      kernel, out, tolerance<T>(),
      [&] {
        launch(kernel, {(queries + block_queries - 1) / block_queries, heads, n}, 128, shared_bytes,
               Arguments().add(q->data()).add(k->data()).add(v->data()).add(out.data()).add(queries).add(keys).add(dim).add(width).add(width).add(width)
                   .add(width).add(scale).add((int)causal));
      },
      [&](int64_t i) { return expected[i]; });
  delete q;
  delete k;
  delete v;
}

// How a product is launched: on the ordinary cores, or on the tensor cores in tiles of 64 or 128.
struct Product {
  std::string prefix;
  int tile;
  int threads;
  size_t shared_bytes;
};
Product plain_product(const std::string& verb) { return {verb, 64, 256, 0}; }
Product mma_product(const std::string& verb, int tile) {
  return {verb + "_mma_" + std::to_string(tile), tile, tile == 64 ? 128 : 256, 4 * (size_t)(2 * tile) * 40};
}

template <typename T>
void linear(const Product& product, int64_t m, int n, int k) {
  checks::Random random(12);
  auto* x = random_array<T>(m * k, random);
  auto* w = random_array<T>((int64_t)n * k, random, 0.3);
  auto* bias = random_array<T>(n, random);
  auto* residual = random_array<T>(m * n, random);
  Array<T> out(m * n);
  check<T>(
      named<T>(product.prefix.c_str()), out, tolerance<T>() * 2,
      [&] {
        launch(named<T>(product.prefix.c_str()), {(int)((m + product.tile - 1) / product.tile), (n + product.tile - 1) / product.tile, 1}, product.threads,
               product.shared_bytes,
               Arguments().add(x->data()).add(w->data()).add(out.data()).add(m).add(n).add(k).add(bias->data()).add(residual->data())
                   .add((int)NONE).add(1.0f));
      },
      [&](int64_t i) {
        double sum = bias->get(i % n) + residual->get(i);
        for (int j = 0; j < k; j++) {
          sum += x->get(i / n * k + j) * w->get(i % n * k + j);
        }
        return sum;
      });
  delete x;
  delete w;
  delete bias;
  delete residual;
}

// m rows, n columns of the result, which has half the columns of the tile.
template <typename T>
void linear_geglu(int tile, int64_t m, int n, int k, bool with_bias) {
  checks::Random random(14);
  Product product = mma_product("linear_geglu", tile);
  std::string name = named<T>(product.prefix.c_str());
  auto* x = random_array<T>(m * k, random);
  auto* w = random_array<T>((int64_t)2 * n * k, random, 0.3);
  auto* bias = random_array<T>(2 * n, random);
  Array<T> out(m * n);
  int columns = tile / 2;
  check<T>(
      name, out, 1e-4,
      [&] {
        launch(name, {(int)((m + tile - 1) / tile), (n + columns - 1) / columns, 1}, product.threads, product.shared_bytes,
               Arguments().add(x->data()).add(w->data()).add(out.data()).add(m).add(n).add(k).add(with_bias ? bias->data() : (const T*)nullptr));
      },
      [&](int64_t i) {
        int64_t value_row = i % n, gate_row = n + i % n;
        double value = with_bias ? bias->get(value_row) : 0, gate = with_bias ? bias->get(gate_row) : 0;
        for (int j = 0; j < k; j++) {
          value += x->get(i / n * k + j) * w->get(value_row * k + j);
          gate += x->get(i / n * k + j) * w->get(gate_row * k + j);
        }
        return value * gelu64(gate);
      });
  delete x;
  delete w;
  delete bias;
}

template <typename T>
void convolution(int n, int height, int width, int in, int out_channels, int kernel, int stride, int pad_top, int pad_left, int out_height, int out_width,
                 const Product& product = plain_product("conv2d")) {
  checks::Random random(10);
  auto* x = random_array<T>((int64_t)n * height * width * in, random);
  auto* w = random_array<T>((int64_t)out_channels * kernel * kernel * in, random, 0.3);
  auto* bias = random_array<T>(out_channels, random);
  int64_t m = (int64_t)n * out_height * out_width;
  auto* residual = random_array<T>(m * out_channels, random);
  Array<T> out(m * out_channels);
  int k = kernel * kernel * in;
  check<T>(
      named<T>(product.prefix.c_str()), out, tolerance<T>() * 2,
      [&] {
        launch(named<T>(product.prefix.c_str()), {(int)((m + product.tile - 1) / product.tile), (out_channels + product.tile - 1) / product.tile, 1},
               product.threads, product.shared_bytes,
               Arguments().add(x->data()).add(w->data()).add(out.data()).add(m).add(out_channels).add(k).add(bias->data())
                   .add(residual->data()).add((int)SILU).add(0.5f).add(height).add(width).add(in).add(out_height)
                   .add(out_width).add(kernel).add(stride).add(pad_top).add(pad_left));
      },
      [&](int64_t i) {
        int o = (int)(i % out_channels);
        int64_t pixel = i / out_channels;
        int ox = (int)(pixel % out_width), oy = (int)(pixel / out_width % out_height);
        int64_t image = pixel / ((int64_t)out_width * out_height);
        double sum = 0;
        for (int ky = 0; ky < kernel; ky++) {
          for (int kx = 0; kx < kernel; kx++) {
            int y = oy * stride - pad_top + ky, xx = ox * stride - pad_left + kx;
            if (y < 0 || xx < 0 || y >= height || xx >= width) {
              continue;
            }
            for (int c = 0; c < in; c++) {
              sum += x->get(((image * height + y) * width + xx) * in + c) * w->get(((int64_t)(o * kernel + ky) * kernel + kx) * in + c);
            }
          }
        }
        return silu64(sum + bias->get(o)) * 0.5 + residual->get(i);
      });
  delete x;
  delete w;
  delete bias;
  delete residual;
}

template <typename T>
void elementwise() {
  checks::Random random(11);
  // 1000 divides into vectors, 1003 does not.
  for (int64_t n : {1000, 1003}) {
    auto* x = random_array<T>(n, random, 4.0);
    auto* y = random_array<T>(n, random, 4.0);
    Array<T> out(n);
    check<T>(named<T>("activate"), out, 1e-6, [&] { launch(named<T>("activate"), {2, 1, 1}, 256, 0, Arguments().add(x->data()).add(out.data()).add(n).add((int)GELU)); },
             [&](int64_t i) { return gelu64(x->get(i)); });
    check<T>(named<T>("combine"), out, 1e-6,
             [&] { launch(named<T>("combine"), {2, 1, 1}, 256, 0, Arguments().add(x->data()).add(y->data()).add(out.data()).add(n).add(0.5f).add(-2.0f)); },
             [&](int64_t i) { return 0.5 * x->get(i) - 2 * y->get(i); });
    check<T>(named<T>("scale"), out, 1e-6, [&] { launch(named<T>("scale"), {1, 1, 1}, 256, 0, Arguments().add(x->data()).add(out.data()).add(n).add(0.125f)); },
             [&](int64_t i) { return 0.125 * x->get(i); });
    check<T>(named<T>("clamp"), out, 0, [&] { launch(named<T>("clamp"), {1, 1, 1}, 256, 0, Arguments().add(x->data()).add(out.data()).add(n).add(-1.0f).add(1.0f)); },
             [&](int64_t i) { return std::fmin(std::fmax(x->get(i), -1), 1); });
    delete x;
    delete y;
  }
  for (int columns : {24, 13}) {
    auto* x = random_array<T>(7 * 2 * columns, random, 4.0);
    Array<T> out(7 * columns);
    check<T>(named<T>("geglu"), out, 1e-6,
             [&] { launch(named<T>("geglu"), {1, 1, 1}, 256, 0, Arguments().add(x->data()).add(out.data()).add((int64_t)7).add(columns)); },
             [&](int64_t i) {
               int64_t row = i / columns;
               return x->get(row * 2 * columns + i % columns) * gelu64(x->get(row * 2 * columns + columns + i % columns));
             });
    delete x;
  }
}

// Any bits, a NaN's as well: they are moved, not computed with.
void widen(int64_t rows, int count, int wide) {
  Buffer from((size_t)rows * count * 2);
  auto* values = reinterpret_cast<uint16_t*>(from.data);
  for (int64_t i = 0; i < rows * count; i++) {
    values[i] = (uint16_t)(40000 + i);
  }
  Buffer to((size_t)rows * wide * 2);
  launch("tt_widen_rows_b2", {2, 1, 1}, 64, 0, Arguments().add(values).add(to.data).add(rows).add(count).add(wide));
  for (int64_t i = 0; i < rows * wide; i++) {
    int column = (int)(i % wide);
    checks::equal("tt_widen_rows_b2", reinterpret_cast<uint16_t*>(to.data)[i], column < count ? values[i / wide * count + column] : 0);
  }
}

// With all parts of the epilogue, and with none. What is left out is NaN and must not be seen.
template <typename T>
void narrow(int64_t rows, int channels, int wide, bool parts) {
  checks::Random random(14);
  Array<T> from(rows * wide);
  for (int64_t row = 0; row < rows; row++) {
    for (int c = 0; c < channels; c++) {
      from.data()[row * wide + c] = from_float<T>((float)random.next());
    }
  }
  auto* bias = random_array<T>(channels, random);
  auto* residual = random_array<T>(rows * channels, random);
  Array<T> out(rows * channels);
  const T* none = nullptr;
  check<T>(
      named<T>("narrow_rows"), out, 1e-6,
      [&] {
        launch(named<T>("narrow_rows"), {2, 1, 1}, 64, 0,
               Arguments().add(from.data()).add(out.data()).add(parts ? bias->data() : none).add(parts ? residual->data() : none).add(rows).add(wide)
                   .add(channels).add((int)(parts ? SILU : NONE)).add(parts ? 0.7f : 1.0f));
      },
      [&](int64_t i) {
        int c = (int)(i % channels);
        double x = from.get(i / channels * wide + c);
        return parts ? silu64(x + bias->get(c)) * 0.7f + residual->get(i) : x;
      });
  delete bias;
  delete residual;
}

// In place, over rows that a vector's width divides and ones that it does not.
template <typename T>
void epilogue_pass(int64_t rows, int channels) {
  checks::Random random(15);
  int64_t n = rows * channels;
  auto* x = random_array<T>(n, random);
  auto* bias = random_array<T>(channels, random);
  auto* residual = random_array<T>(n, random);
  Array<T> out(n);
  check<T>(
      named<T>("epilogue"), out, 1e-6,
      [&] {
        std::copy(x->data(), x->data() + n, out.data());
        launch(named<T>("epilogue"), {2, 1, 1}, 64, 0,
               Arguments().add(out.data()).add(bias->data()).add(residual->data()).add(n).add(channels).add((int)SILU).add(0.7f));
      },
      [&](int64_t i) { return silu64(x->get(i) + bias->get(i % channels)) * 0.7f + residual->get(i); });
  delete x;
  delete bias;
  delete residual;
}

template <typename T>
void softmax(int rows, int columns, bool causal) {
  checks::Random random(12);
  auto* x = random_array<float>((int64_t)rows * columns, random, 30.0);
  Array<T> out((int64_t)rows * columns);
  check<T>(
      named<T>("softmax"), out, 1e-7,
      [&] {
        launch(named<T>("softmax"), {rows, 1, 1}, 256, 0,
               Arguments().add(x->data()).add(out.data()).add(columns).add(0.5f).add(rows).add(2).add((int)causal));
      },
      [&](int64_t i) {
        int64_t row = i / columns;
        int visible = causal ? (int)std::fmin(row + 3, columns) : columns;
        double maximum = -INFINITY, sum = 0;
        for (int c = 0; c < visible; c++) {
          maximum = std::fmax(maximum, 0.5 * x->get(row * columns + c));
        }
        for (int c = 0; c < visible; c++) {
          sum += std::exp(0.5 * x->get(row * columns + c) - maximum);
        }
        return i % columns < visible ? std::exp(0.5 * x->get(i) - maximum) / sum : 0;
      });
  delete x;
}

// Rescaled to each sample's own deviation, or not at all.
template <typename T>
void guided_step(float rescale, const StepCoefficients& c) {
  checks::Random random(13);
  int64_t per_item = 37, samples = 3, n = per_item * samples;
  float scale = 5.5f;
  auto* latent = random_array<T>(n, random, 3.0);
  auto* model = random_array<T>(n, random);
  auto* text = random_array<T>(n, random);
  auto* noise = random_array<T>(n, random);
  Array<float> deviations(2 * samples);
  const float* given_deviations = rescale > 0 ? deviations.data() : nullptr;
  Array<T> previous(n), predicted(n), guided(n);
  auto deviate = [&] {
    launch(named<T>("guide_deviations"), {(int)samples, 1, 1}, 512, 0,
           Arguments().add(model->data()).add(text->data()).add(scale).add(deviations.data()).add(per_item));
  };
  auto expected_guided = [&](int64_t i) {
    int64_t s = i / per_item;
    auto value = [&](int64_t j) { return model->get(j) + scale * (text->get(j) - model->get(j)); };
    if (rescale == 0) {
      return value(i);
    }
    double mean_text = 0, mean_guided = 0, square_text = 0, square_guided = 0;
    for (int64_t j = s * per_item; j < (s + 1) * per_item; j++) {
      mean_text += text->get(j) / per_item;
      mean_guided += value(j) / per_item;
    }
    for (int64_t j = s * per_item; j < (s + 1) * per_item; j++) {
      square_text += std::pow(text->get(j) - mean_text, 2);
      square_guided += std::pow(value(j) - mean_guided, 2);
    }
    return rescale * value(i) * std::sqrt(square_text / square_guided) + (1 - rescale) * value(i);
  };
  check<T>(
      named<T>("guide"), guided, 1e-5,
      [&] {
        deviate();
        launch(named<T>("guide"), {1, 1, 1}, 256, 0,
               Arguments().add(model->data()).add(text->data()).add(scale).add(rescale).add(given_deviations).add(guided.data()).add(n).add(per_item));
      },
      expected_guided);
  auto expected_x0 = [&](int64_t i) {
    return std::fmin(std::fmax(c.x0_sample * latent->get(i) + c.x0_model * expected_guided(i), -c.clip_range), c.clip_range);
  };
  auto step = [&] {
    deviate();
    launch(named<T>("step"), {1, 1, 1}, 256, 0,
           Arguments().add(latent->data()).add(model->data()).add(text->data()).add(scale).add(rescale).add(given_deviations).add((T*)nullptr)
               .add(noise->data()).add(c.x0_sample).add(c.x0_model).add(c.clip_range).add(c.prev_x0).add(c.prev_sample).add(c.prev_model)
               .add(c.prev_history).add(c.prev_noise).add(previous.data()).add(predicted.data()).add(n).add(per_item));
  };
  check<T>(named<T>("step x0"), predicted, 1e-5, step, expected_x0);
  check<T>(named<T>("step previous"), previous, 1e-5, step, [&](int64_t i) {
    return c.prev_x0 * expected_x0(i) + c.prev_sample * latent->get(i) + c.prev_model * expected_guided(i) + c.prev_noise * noise->get(i);
  });
  delete latent;
  delete model;
  delete text;
  delete noise;
}

template <typename T>
void all_of_type() {
  elementwise<T>();
  epilogue_pass<T>(15, 16);
  epilogue_pass<T>(6, 13);
  group_norm<T>(2, 23, 64, 32, 8, NONE, 0.0);
  group_norm<T>(2, 17, 320, 32, 16, SILU, 0.5);   // ten channels a group: a vector spans groups
  group_norm<T>(1, 9, 36, 6, 4, SILU, 0.0);       // no vectors in 16-bit types
  group_norm<T>(1, 5, 2560, 32, 5, SILU, 0.0);    // more vectors than threads
  group_norm<float>(1, 64, 32, 8, 16, NONE, 1000.0);
  group_norm<T>(2, 23, 64, 32, 8, NONE, 0.0, 256);
  group_norm<T>(2, 17, 320, 32, 16, SILU, 0.5, 64);   // ten channels a group
  group_norm<T>(1, 64, 480, 8, 5, SILU, 0.0, 1024);   // more words than threads
  group_norm<T>(1, 1, 4, 1, 1, NONE, 3.0, 32);        // fewer words than threads
  group_norm<float>(1, 9, 9, 3, 16, SILU, 1000.0, 64);
  group_norm<T>(3, 17, 320, 32, 16, SILU, 0.5, 0, true);
  group_norm<T>(2, 9, 36, 6, 4, NONE, 0.0, 0, true);      // no vectors in 16-bit types
  group_norm<T>(2, 17, 320, 32, 16, SILU, 0.5, 64, true);
  group_norm<float>(2, 9, 9, 3, 16, SILU, 30.0, 64, true);
  layer_norm<T>(5, 320);
  layer_norm<T>(9, 77);
  softmax<T>(3, 700, false);
  softmax<T>(9, 9, true);
  convolution<T>(2, 5, 7, 3, 5, 3, 1, 1, 1, 5, 7);
  convolution<T>(1, 6, 6, 4, 70, 3, 2, 0, 0, 3, 3);  // pads right and bottom only
  linear<T>(plain_product("linear"), 70, 66, 24);
  guided_step<T>(0.0f, StepCoefficients{1.1, -0.4, INFINITY, 0.9, 0.2, 0.1, 0, 0.3});
  guided_step<T>(0.7f, StepCoefficients{1.1, -0.4, 1.0, 0.9, 0.2, 0, 0, 0.3});
  for (bool causal : {false, true}) {
    attention<T>(named<T>("attention_simple_64"), 2, 21, causal ? 21 : 77, 2, 40, causal, 16, 0);
    attention<T>(named<T>("attention_simple_512"), 1, 35, 35, 1, 72, causal, 16, 0);
  }
  attention<T>(named<T>("attention_simple_512"), 1, 17, 40, 1, 512, false, 16, 0);
}

template <typename T>
void all_tensor_core() {
  struct Variant {
    int padded, keys, dim;
  };
  for (Variant variant : {Variant{48, 64, 40}, Variant{48, 64, 8}, Variant{64, 64, 64}, Variant{80, 64, 80}, Variant{160, 32, 160}, Variant{160, 32, 104}}) {
    std::string kernel = named<T>(("attention_mma_" + std::to_string(variant.padded)).c_str());
    size_t shared_bytes = 4 * (size_t)variant.keys * (variant.padded + 8) * 2;
    attention<T>(kernel, 2, 70, 77, 2, variant.dim, false, 64, shared_bytes);
    attention<T>(kernel, 1, 130, 130, 1, variant.dim, true, 64, shared_bytes);
    attention<T>(kernel, 1, 3, 200, 1, variant.dim, false, 64, shared_bytes);
  }
  for (bool parts : {false, true}) {
    narrow<T>(165, 3, 8, parts);
    narrow<T>(7, 4, 8, parts);
    narrow<T>(18, 17, 24, parts);
  }
  for (int tile : {64, 128}) {
    linear<T>(mma_product("linear", tile), 130, 136, 88);  // no multiple of a tile in any direction
    linear<T>(mma_product("linear", tile), 3, 35, 8);      // an odd number of columns, less than a stage
    linear<T>(mma_product("linear", tile), 64, 64, 160);
    linear_geglu<T>(tile, 130, 136, 88, true);  // no multiple of a tile in any direction
    linear_geglu<T>(tile, 3, 35, 8, true);      // an odd number of columns, less than a stage
    linear_geglu<T>(tile, 1, 16, 40, false);    // fewer columns than a tile of a half has
    linear_geglu<T>(tile, 128, 64, 160, true);
    convolution<T>(2, 9, 11, 8, 40, 3, 1, 1, 1, 9, 11, mma_product("conv2d", tile));   // four taps a stage
    convolution<T>(1, 7, 9, 32, 3, 3, 1, 1, 1, 7, 9, mma_product("conv2d", tile));     // nearly empty tiles
    convolution<T>(2, 9, 11, 24, 70, 3, 1, 1, 1, 9, 11, mma_product("conv2d", tile));
    convolution<T>(1, 12, 10, 40, 33, 3, 2, 0, 0, 6, 5, mma_product("conv2d", tile));  // pads right and bottom only
  }
}

}  // namespace

int main() {
  widen(70, 3, 8);
  widen(3, 4, 8);
  widen(129, 9, 16);
  all_of_type<float>();
  all_of_type<half_t>();
  all_of_type<bf16_t>();
  all_tensor_core<half_t>();
  all_tensor_core<bf16_t>();
  return checks::summary("kernels on the emulator against float64");
}
