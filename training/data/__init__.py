"""Data sets: MNIST files, labelled images, folders of images, augmentation."""
