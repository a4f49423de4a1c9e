"""Python that does what a spec says, without dlspec: `dlspec eject`.

`eject.py` asks a writer for each section of the spec, in `data`, `preprocessing`, `network`, `pretraining`, `training`
and `evaluation`; they write into a `Script`. Functions that are the same in every script are in `snippets`, from where
they are copied. A script has these functions:

    load_data()                              all rows: x as the saved model takes it, y in the target's own units
    load_parts()                             the same for the training, validation and test part: (x, y) of each
    load_unlabeled()                         x of samples without labels, of a series its windows
    build_preprocessing()                    a Keras model from x to what the network sees
    outputs_of(model, x)                     what a model makes of all samples, which `predict` makes float32 first
    network_targets(x, y)                    what the network is trained to put out
    build_network()                          the network
    pretrain(network, x)                     where the spec pretrains
    train_network(network, x, y, held_out)       training; `x` and `y` as the network sees them, (x, y) held out
    with_preprocessing(preprocessing, network)   the model that is saved, from x to the target's own units
    evaluate(model, preprocessing, train, test)  the network beside the simplest guesses
    main()

An `x` is an array (samples, ...), or, where columns have types, a mapping from columns to arrays (samples, 1); that of
a series holds a window of raw rows for each sample.
"""
