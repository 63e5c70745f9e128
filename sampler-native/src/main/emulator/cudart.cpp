// CUDA's runtime, as far as the engine calls it, for one GPU that is not there: memory is the host's, kernels run by the emulator. Built as a library of
// the real one's name with the real one's calling convention, so that the bindings, the values that they pass and the order of the engine's calls are
// tested without a GPU. Stricter than CUDA where the engine promises to be: work of a stream is done when it is waited for and not before, copies and
// launches must lie within living allocations, and what a recording does not survive ends it.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "emulator.h"

namespace {

constexpr int SUCCESS = 0;
constexpr int INVALID_VALUE = 1;
constexpr int MEMORY_ALLOCATION = 2;
constexpr int INVALID_DEVICE = 101;
constexpr int INVALID_IMAGE = 200;
constexpr int INVALID_HANDLE = 400;
constexpr int SYMBOL_NOT_FOUND = 500;
constexpr int NOT_READY = 600;
constexpr int ILLEGAL_ADDRESS = 700;
constexpr int CAPTURE_UNSUPPORTED = 900;
constexpr int CAPTURE_INVALIDATED = 901;

constexpr uint32_t FATBIN_MAGIC = 0xba55ed50u;
constexpr int64_t STREAM = 0x5711;
constexpr int HOST_TO_DEVICE = 1;
constexpr int DEVICE_TO_HOST = 2;
constexpr int DEVICE_TO_DEVICE = 3;
constexpr int CAPTURE_RELAXED = 2;
constexpr int NON_BLOCKING = 1;

using Work = std::function<int()>;

struct Graph {
  std::vector<Work> works;
};

std::map<uintptr_t, size_t> blocks;
size_t bytes_taken = 0;
size_t bytes_total = (size_t)16 << 30;
std::deque<Work> queue;
std::vector<Work> captured;
bool capturing = false;
bool invalidated = false;
bool stream_alive = false;
int sticky = SUCCESS;
uintptr_t next_handle = 0x1000;
std::map<uintptr_t, std::shared_ptr<Graph>> graphs;
std::map<uintptr_t, std::shared_ptr<Graph>> executables;
std::map<uintptr_t, int64_t> events;
std::map<uintptr_t, bool> libraries;
int64_t ticks = 0;

// Whether all of it lies within one living allocation.
bool is_device(const void* address, size_t bytes) {
  uintptr_t from = (uintptr_t)address;
  auto after = blocks.upper_bound(from);
  if (after == blocks.begin()) {
    return false;
  }
  --after;
  return from + bytes <= after->first + after->second;
}

int fail(int code, const char* what) {
  fprintf(stderr, "emulated cudart: %s\n", what);
  return code;
}

int enqueue(void* stream, Work work) {
  if (sticky != SUCCESS) {
    return sticky;
  }
  if ((int64_t)stream != STREAM || !stream_alive) {
    return fail(INVALID_HANDLE, "work for a stream that is not there");
  }
  if (capturing) {
    captured.push_back(std::move(work));
  } else {
    queue.push_back(std::move(work));
  }
  return SUCCESS;
}

void run(const Work& work) {
  ticks++;
  if (sticky == SUCCESS) {
    int code = work();
    if (code != SUCCESS) {
      sticky = code;
    }
  }
}

// Of a question, one piece of work.
void run_one() {
  Work work = std::move(queue.front());
  queue.pop_front();
  run(work);
}

int drain() {
  while (!queue.empty()) {
    run_one();
  }
  return sticky;
}

// For calls that wait, which a recording does not survive.
int refuse_while_capturing() {
  if (capturing) {
    invalidated = true;
    return CAPTURE_UNSUPPORTED;
  }
  return SUCCESS;
}

int copy(void* to, const void* from, size_t bytes) {
  // Of blocks that were freed meanwhile the real GPU would say the same, if they are lucky.
  memmove(to, from, bytes);
  return SUCCESS;
}

}  // namespace

extern "C" {

struct dim3 {
  unsigned x, y, z;
};

int cudaGetDeviceCount(int* count) {
  *count = 1;
  return SUCCESS;
}

int cudaSetDevice(int device) { return device == 0 ? SUCCESS : INVALID_DEVICE; }

int cudaDeviceGetAttribute(int* value, int attribute, int device) {
  if (device != 0) {
    return INVALID_DEVICE;
  }
  switch (attribute) {
    case 16:
      *value = 4;
      return SUCCESS;
    case 75:
      *value = 9;
      return SUCCESS;
    case 76:
      *value = 0;
      return SUCCESS;
    default:
      return fail(INVALID_VALUE, "an attribute that is not known here");
  }
}

int cudaGetDeviceProperties(void* properties, int device) {
  if (device != 0) {
    return INVALID_DEVICE;
  }
  memset(properties, 0, 1024);
  snprintf(static_cast<char*>(properties), 256, "Emulated GPU");
  for (int i = 0; i < 16; i++) {
    static_cast<unsigned char*>(properties)[256 + i] = (unsigned char)(0x10 + i);
  }
  return SUCCESS;
}

int cudaDeviceGetPCIBusId(char* id, int bytes, int device) {
  return device == 0 && snprintf(id, (size_t)bytes, "0000:3B:00.0") < bytes ? SUCCESS : INVALID_VALUE;
}

int cudaDriverGetVersion(int* version) {
  *version = 13000;
  return SUCCESS;
}

int cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return SUCCESS;
}

int cudaMemGetInfo(size_t* free, size_t* total) {
  *free = bytes_total - bytes_taken;
  *total = bytes_total;
  return SUCCESS;
}

int cudaMalloc(void** address, size_t bytes) {
  if (sticky != SUCCESS) {
    return sticky;
  }
  if (bytes_taken + bytes > bytes_total) {
    return MEMORY_ALLOCATION;
  }
  size_t rounded = (bytes + 255) / 256 * 256;
  *address = aligned_alloc(256, rounded);
  if (*address == nullptr) {
    return MEMORY_ALLOCATION;
  }
  // NaN in every type.
  memset(*address, 0xff, rounded);
  blocks[(uintptr_t)*address] = bytes;
  bytes_taken += bytes;
  return SUCCESS;
}

int cudaFree(void* address) {
  auto found = blocks.find((uintptr_t)address);
  if (found == blocks.end()) {
    return fail(INVALID_VALUE, "free of what was not allocated");
  }
  int code = refuse_while_capturing();
  if (code == SUCCESS) {
    code = drain();
  }
  bytes_taken -= found->second;
  // Whoever reads it after this finds no number.
  memset(address, 0xff, found->second);
  blocks.erase(found);
  free(address);
  return code;
}

int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind, void* stream) {
  bool to_device = kind != DEVICE_TO_HOST;
  bool from_device = kind != HOST_TO_DEVICE;
  if (kind < HOST_TO_DEVICE || kind > DEVICE_TO_DEVICE || (to_device && !is_device(to, bytes)) || (from_device && !is_device(from, bytes))) {
    return fail(INVALID_VALUE, "a copy that leaves its block");
  }
  if (!from_device) {
    // Of pageable memory, which its owner may change or free when the call is back; a replay would read it again.
    int code = refuse_while_capturing();
    if (code != SUCCESS) {
      return code;
    }
    auto staged = std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    return enqueue(stream, [=] { return copy(to, staged->data(), bytes); });
  }
  return enqueue(stream, [=] { return copy(to, from, bytes); });
}

int cudaMemsetAsync(void* to, int value, size_t bytes, void* stream) {
  if (!is_device(to, bytes)) {
    return fail(INVALID_VALUE, "a fill that leaves its block");
  }
  return enqueue(stream, [=] {
    memset(to, value, bytes);
    return SUCCESS;
  });
}

int cudaLibraryLoadData(void** library, const void* code, void** jit_options, void** jit_values, unsigned jit_count, void** options, void** values,
                        unsigned count) {
  uint32_t magic;
  memcpy(&magic, code, sizeof magic);
  if (magic != FATBIN_MAGIC) {
    return INVALID_IMAGE;
  }
  if (jit_options != nullptr || jit_values != nullptr || jit_count != 0 || options != nullptr || values != nullptr || count != 0) {
    return fail(INVALID_VALUE, "options of a library that nobody gave");
  }
  libraries[next_handle] = true;
  *library = (void*)next_handle++;
  return SUCCESS;
}

int cudaLibraryUnload(void* library) {
  drain();
  return libraries.erase((uintptr_t)library) == 1 ? SUCCESS : INVALID_HANDLE;
}

int cudaLibraryGetKernel(void** kernel, void* library, const char* name) {
  if (libraries.count((uintptr_t)library) == 0) {
    return INVALID_HANDLE;
  }
  auto found = emulator::kernels().find(name);
  if (found == emulator::kernels().end()) {
    return SYMBOL_NOT_FOUND;
  }
  *kernel = &found->second;
  return SUCCESS;
}

int cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared_bytes, void* stream) {
  const emulator::Kernel* kernel = static_cast<const emulator::Kernel*>(function);
  if (block.y != 1 || block.z != 1 || grid.x == 0 || grid.y == 0 || grid.z == 0) {
    return fail(INVALID_VALUE, "a launch whose dimensions are not those of the engine");
  }
  // The values are copied before the call is back, as CUDA does.
  size_t count = kernel->parameters.size();
  auto values = std::make_shared<std::vector<char>>(16 * count);
  for (size_t i = 0; i < count; i++) {
    memcpy(values->data() + 16 * i, arguments[i], kernel->parameters[i]);
  }
  emulator::Dim dims{(int)grid.x, (int)grid.y, (int)grid.z};
  int threads = (int)block.x;
  return enqueue(stream, [=] {
    std::vector<void*> pointers(count);
    for (size_t i = 0; i < count; i++) {
      pointers[i] = values->data() + 16 * i;
    }
    return emulator::launch(*kernel, dims, threads, shared_bytes, pointers.data());
  });
}

int cudaStreamCreateWithFlags(void** stream, unsigned flags) {
  if (flags != NON_BLOCKING || stream_alive) {
    return fail(INVALID_VALUE, "one stream that does not wait for the default one is the engine's rule");
  }
  stream_alive = true;
  *stream = (void*)STREAM;
  return SUCCESS;
}

int cudaStreamDestroy(void* stream) {
  if ((int64_t)stream != STREAM || !stream_alive) {
    return INVALID_HANDLE;
  }
  stream_alive = false;
  return drain();
}

int cudaStreamSynchronize(void*) {
  int code = refuse_while_capturing();
  return code != SUCCESS ? code : drain();
}

int cudaStreamQuery(void*) {
  int code = refuse_while_capturing();
  if (code != SUCCESS) {
    return code;
  }
  if (queue.empty()) {
    return sticky;
  }
  run_one();
  return sticky != SUCCESS ? sticky : NOT_READY;
}

int cudaEventCreateWithFlags(void** event, unsigned) {
  events[next_handle] = -1;
  *event = (void*)next_handle++;
  return SUCCESS;
}

int cudaEventDestroy(void* event) { return events.erase((uintptr_t)event) == 1 ? SUCCESS : INVALID_HANDLE; }

int cudaEventRecord(void* event, void* stream) {
  uintptr_t handle = (uintptr_t)event;
  if (events.count(handle) == 0) {
    return INVALID_HANDLE;
  }
  events[handle] = -1;
  return enqueue(stream, [=] {
    auto found = events.find(handle);
    if (found != events.end()) {
      found->second = ticks;
    }
    return SUCCESS;
  });
}

// Behind an event there may be work that is not done.
int cudaEventQuery(void* event) {
  int code = refuse_while_capturing();
  if (code != SUCCESS) {
    return code;
  }
  auto found = events.find((uintptr_t)event);
  if (found == events.end()) {
    return INVALID_HANDLE;
  }
  if (found->second >= 0) {
    return sticky;
  }
  if (queue.empty()) {
    return fail(INVALID_VALUE, "a question about an event that was never recorded");
  }
  run_one();
  return sticky != SUCCESS ? sticky : NOT_READY;
}

int cudaEventElapsedTime(float* ms, void* start, void* end) {
  auto from = events.find((uintptr_t)start);
  auto to = events.find((uintptr_t)end);
  if (from == events.end() || to == events.end()) {
    return INVALID_HANDLE;
  }
  if (from->second < 0 || to->second < 0) {
    return NOT_READY;
  }
  *ms = (float)(to->second - from->second);
  return SUCCESS;
}

int cudaStreamBeginCapture(void* stream, int mode) {
  if ((int64_t)stream != STREAM || mode != CAPTURE_RELAXED || capturing) {
    return INVALID_VALUE;
  }
  capturing = true;
  invalidated = false;
  captured.clear();
  return SUCCESS;
}

int cudaStreamEndCapture(void*, void** graph) {
  if (!capturing) {
    return INVALID_VALUE;
  }
  capturing = false;
  *graph = nullptr;
  if (invalidated) {
    return CAPTURE_INVALIDATED;
  }
  graphs[next_handle] = std::make_shared<Graph>(Graph{captured});
  *graph = (void*)next_handle++;
  return SUCCESS;
}

int cudaGraphInstantiate(void** executable, void* graph, unsigned long long flags) {
  auto found = graphs.find((uintptr_t)graph);
  if (found == graphs.end() || flags != 0) {
    return INVALID_VALUE;
  }
  executables[next_handle] = found->second;
  *executable = (void*)next_handle++;
  return SUCCESS;
}

int cudaGraphLaunch(void* executable, void* stream) {
  auto found = executables.find((uintptr_t)executable);
  if (found == executables.end()) {
    return INVALID_VALUE;
  }
  for (const Work& work : found->second->works) {
    int code = enqueue(stream, work);
    if (code != SUCCESS) {
      return code;
    }
  }
  return SUCCESS;
}

int cudaGraphDestroy(void* graph) { return graphs.erase((uintptr_t)graph) == 1 ? SUCCESS : INVALID_VALUE; }

int cudaGraphExecDestroy(void* executable) {
  if (!queue.empty()) {
    return fail(INVALID_VALUE, "a graph is destroyed while work is under way");
  }
  return executables.erase((uintptr_t)executable) == 1 ? SUCCESS : INVALID_VALUE;
}

const char* cudaGetErrorName(int code) {
  switch (code) {
    case SUCCESS:
      return "cudaSuccess";
    case INVALID_VALUE:
      return "cudaErrorInvalidValue";
    case MEMORY_ALLOCATION:
      return "cudaErrorMemoryAllocation";
    case INVALID_IMAGE:
      return "cudaErrorInvalidKernelImage";
    case ILLEGAL_ADDRESS:
      return "cudaErrorIllegalAddress";
    default:
      return "cudaErrorUnknown";
  }
}

const char* cudaGetErrorString(int) { return "emulated"; }

// For tests: what is allocated and not freed; events and graphs that were not destroyed; a fault of the next work; a new process.
int64_t tt_cudart_bytes_taken() { return (int64_t)bytes_taken; }
int64_t tt_cudart_events_alive() { return (int64_t)events.size(); }
int64_t tt_cudart_graphs_alive() { return (int64_t)(graphs.size() + executables.size()); }
void tt_cudart_fault() {
  queue.push_back([] { return ILLEGAL_ADDRESS; });
}
void tt_cudart_reset() {
  for (auto& block : blocks) {
    free((void*)block.first);
  }
  blocks.clear();
  bytes_taken = 0;
  sticky = SUCCESS;
  queue.clear();
  capturing = false;
  stream_alive = false;
  graphs.clear();
  executables.clear();
  events.clear();
  libraries.clear();
}

}  // extern "C"
