select k.name, k.corpus_id from corpus k;
