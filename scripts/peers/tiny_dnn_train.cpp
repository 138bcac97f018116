// The training of `mlp train` with tiny-dnn, a library of headers in C++.
//
//   tiny_dnn_train DIR EPOCHS BATCH      DIR holds the four IDX files, not compressed
//
// Prints "seconds S" for each epoch and "accuracy A" on the test images. It is compiled with
// CNN_USE_AVX and CNN_USE_OMP, the fastest that Debian's package has; OMP_NUM_THREADS sets its
// threads. tiny-dnn's fit neither shuffles nor computes a loss or an accuracy.
#include <tiny_dnn/tiny_dnn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace
{

const std::size_t N_TRAIN = 50000; // the first of the training file
const double LEARNING_RATE = 1e-3; // of the sum of a batch's gradients

struct Data {
    std::vector<tiny_dnn::vec_t> images;
    std::vector<tiny_dnn::label_t> labels;
};

// Pixels from 0 to 1, as tiny-dnn's parser gives them.
Data read_part(const std::string &directory, const std::string &part)
{
    Data data;
    tiny_dnn::parse_mnist_images(directory + "/" + part + "-images-idx3-ubyte", &data.images, 0, 1,
                                 0, 0);
    tiny_dnn::parse_mnist_labels(directory + "/" + part + "-labels-idx1-ubyte", &data.labels);
    return data;
}

// What mlp divides by: the standard deviation of the training pixels.
double deviation(const std::vector<tiny_dnn::vec_t> &images)
{
    double n = 0, sum = 0, squares = 0;
    for (const auto &image : images)
        for (double pixel : image) {
            n += 1;
            sum += pixel;
            squares += pixel * pixel;
        }
    return std::sqrt(squares / n - sum / n * (sum / n));
}

void scale(std::vector<tiny_dnn::vec_t> &images, double factor)
{
    for (auto &image : images)
        for (auto &pixel : image)
            pixel = static_cast<float>(pixel * factor);
}

// The initial weights of mlp (see "Input, initial weights, split" in src/README.md): normal, and
// biases that cancel the inputs' mean. W is stored by input.
void set_weights(tiny_dnn::layer &layer, double gain, double input_mean, std::mt19937 &random)
{
    tiny_dnn::vec_t &W = *layer.weights()[0], &b = *layer.weights()[1];
    std::size_t outputs = b.size(), inputs = W.size() / outputs;
    std::normal_distribution<float> normal(0, static_cast<float>(gain / std::sqrt(inputs)));
    std::fill(b.begin(), b.end(), 0.0F);
    for (std::size_t i = 0; i < W.size(); i++) {
        W[i] = normal(random);
        b[i % outputs] -= static_cast<float>(input_mean) * W[i];
    }
}

double now()
{
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

void run(const std::string &directory, int epochs, std::size_t batch)
{
    using namespace tiny_dnn;
    Data train = read_part(directory, "train"), test = read_part(directory, "t10k");
    train.images.resize(N_TRAIN);
    train.labels.resize(N_TRAIN);
    double std = deviation(train.images);
    scale(train.images, 1 / std);
    scale(test.images, 1 / std);

    network<sequential> net;
    net << fully_connected_layer<activation::sigmoid>(784, 64)
        << fully_connected_layer<activation::softmax>(64, 10);
    net.init_weight();
    std::mt19937 random(1);
    set_weights(*net[0], 0.3, 0, random);
    set_weights(*net[1], 5, 0.5, random);

    gradient_descent optimizer; // of a batch's mean
    optimizer.alpha = static_cast<float>(LEARNING_RATE * static_cast<double>(batch));
    optimizer.lambda = 0;
    double start = now();
    net.train<cross_entropy_multiclass>(
        optimizer, train.images, train.labels, batch, epochs, [] {},
        [&start] {
            std::printf("seconds %.6f\n", now() - start);
            start = now();
        });
    net.set_netphase(net_phase::test);
    std::size_t correct = 0;
    for (std::size_t i = 0; i < test.images.size(); i++)
        correct += net.predict_label(test.images[i]) == test.labels[i];
    std::printf("accuracy %.4f\n",
                static_cast<double>(correct) / static_cast<double>(test.images.size()));
    std::puts("version tiny-dnn, its AVX kernels and OpenMP");
}

} // namespace

int main(int argc, char **argv)
{
    int epochs = argc == 4 ? std::atoi(argv[2]) : 0, batch = argc == 4 ? std::atoi(argv[3]) : 0;
    if (epochs < 1 || batch < 1 || batch > 50000) {
        std::fprintf(stderr, "usage: tiny_dnn_train DIR EPOCHS BATCH\n");
        return 2;
    }
    try {
        run(argv[1], epochs, static_cast<std::size_t>(batch));
    } catch (const std::exception &e) {
        std::fprintf(stderr, "tiny_dnn_train: %s\n", e.what());
        return 1;
    }
}
