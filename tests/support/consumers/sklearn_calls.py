"""The calls of scikit-learn that are tried with array_api_dispatch=True, and what becomes of each."""

from __future__ import annotations

VERSION = "1.9"
"""What the tables were made with. Older versions are skipped; with a newer one more may reach."""

GRADIENT = """
preprocessing.StandardScaler(with_std=False).fit_transform(X)
preprocessing.MinMaxScaler().fit_transform(X)
preprocessing.MinMaxScaler(feature_range=(-1, 2)).fit(X).inverse_transform(X2)
preprocessing.MaxAbsScaler().fit_transform(X)
preprocessing.Normalizer().fit_transform(X)
preprocessing.Normalizer(norm="l1").fit_transform(X)
preprocessing.Normalizer(norm="max").fit_transform(X)
preprocessing.Binarizer().fit_transform(X)
preprocessing.KernelCenterer().fit(S).transform(S)
preprocessing.PolynomialFeatures(2).fit_transform(X)
preprocessing.PolynomialFeatures(3, interaction_only=True).fit_transform(X)
preprocessing.QuantileTransformer(n_quantiles=5).fit_transform(X)
preprocessing.FunctionTransformer(square, validate=False).fit_transform(X)
preprocessing.FunctionTransformer(square, validate=True).fit_transform(X)
preprocessing.normalize(X)
preprocessing.minmax_scale(X)
preprocessing.maxabs_scale(X)
decomposition.PCA(2, svd_solver="full").fit_transform(X)
decomposition.PCA(2, svd_solver="full").fit(X).transform(X2)
decomposition.PCA(2, svd_solver="covariance_eigh").fit_transform(X)
decomposition.PCA(2, svd_solver="full", whiten=True).fit(X).transform(X2)
decomposition.PCA(2, svd_solver="full").fit(X).explained_variance_
decomposition.PCA(2, svd_solver="full").fit(X).explained_variance_ratio_
decomposition.PCA(2, svd_solver="full").fit(X).inverse_transform(T2)
decomposition.PCA(2, svd_solver="full").fit(X).get_covariance()
decomposition.PCA(2, svd_solver="full").fit(X).score_samples(X2)
decomposition.PCA(2, svd_solver="randomized", power_iteration_normalizer="QR", random_state=0).fit_transform(X)
linear_model.Ridge(solver="svd").fit(X, y).predict(X2)
linear_model.Ridge(solver="svd", alpha=0.3).fit(X, y).coef_
linear_model.Ridge(solver="svd").fit(X, y).intercept_
linear_model.Ridge(solver="svd", fit_intercept=False).fit(X, Y).predict(X2)
linear_model.Ridge(solver="svd").fit(X, y, sample_weight=p).predict(X2)
linear_model.RidgeCV(alphas=(0.1, 1.0)).fit(X, y).predict(X2)
linear_model.RidgeClassifier(solver="svd").fit(X, c).decision_function(X2)
linear_model.RidgeClassifierCV().fit(X, c).decision_function(X2)
discriminant_analysis.LinearDiscriminantAnalysis(solver="svd").fit(X, c).decision_function(X2)
discriminant_analysis.LinearDiscriminantAnalysis(solver="svd").fit(X, c).predict_proba(X2)
discriminant_analysis.LinearDiscriminantAnalysis(solver="svd").fit(X, c).transform(X2)
discriminant_analysis.LinearDiscriminantAnalysis(solver="svd").fit(X, c).predict_log_proba(X2)
naive_bayes.GaussianNB().fit(X, c).predict_proba(X2)
naive_bayes.GaussianNB().fit(X, c).predict_log_proba(X2)
naive_bayes.GaussianNB().fit(X, c).predict_joint_log_proba(X2)
naive_bayes.GaussianNB().fit(X, c).theta_
gaussian_mixture("full").fit(X).score_samples(X2)
gaussian_mixture("full").fit(X).predict_proba(X2)
gaussian_mixture("full").fit(X).means_
gaussian_mixture("diag").fit(X).score_samples(X2)
gaussian_mixture("tied").fit(X).score_samples(X2)
gaussian_mixture("spherical").fit(X).score_samples(X2)
kernel_approximation.Nystroem(kernel="rbf", n_components=3, random_state=0).fit(X).transform(X2)
model_selection.train_test_split(X, y, random_state=0)
model_selection.cross_val_predict(linear_model.Ridge(solver="svd"), X, y, cv=3)
base.clone(linear_model.Ridge(solver="svd")).fit(X, y).predict(X2)
metrics.mean_squared_error(Y, Y2, multioutput="raw_values")
metrics.mean_absolute_error(Y, Y2, multioutput="raw_values")
metrics.median_absolute_error(Y, Y2, multioutput="raw_values")
metrics.root_mean_squared_error(Y, Y2, multioutput="raw_values")
metrics.mean_squared_log_error(P2, P3, multioutput="raw_values")
metrics.root_mean_squared_log_error(P2, P3, multioutput="raw_values")
metrics.mean_absolute_percentage_error(Y, Y2, multioutput="raw_values")
metrics.mean_pinball_loss(Y, Y2, multioutput="raw_values", alpha=0.3)
metrics.r2_score(Y, Y2, multioutput="raw_values")
metrics.explained_variance_score(Y, Y2, multioutput="raw_values")
metrics.d2_absolute_error_score(Y, Y2, multioutput="raw_values")
metrics.d2_pinball_score(Y, Y2, multioutput="raw_values")
pairwise.euclidean_distances(X, X2)
pairwise.euclidean_distances(X, X2, squared=True)
pairwise.cosine_similarity(X, X2)
pairwise.cosine_distances(X, X2)
pairwise.manhattan_distances(X, X2)
pairwise.linear_kernel(X, X2)
pairwise.polynomial_kernel(X, X2)
pairwise.rbf_kernel(X, X2)
pairwise.sigmoid_kernel(X, X2)
pairwise.laplacian_kernel(X, X2)
pairwise.chi2_kernel(P2, P3)
pairwise.additive_chi2_kernel(P2, P3)
pairwise.paired_euclidean_distances(Y, Y2)
pairwise.paired_manhattan_distances(Y, Y2)
pairwise.paired_cosine_distances(Y, Y2)
pairwise.pairwise_distances(X, X2, metric="euclidean")
pairwise.pairwise_kernels(X, X2, metric="rbf")
feature_selection.r_regression(X, y)
[zero_absorbing] preprocessing.StandardScaler().fit(X).transform(X)
[zero_absorbing] preprocessing.StandardScaler().fit_transform(X)
[zero_absorbing] preprocessing.StandardScaler().fit(X).inverse_transform(X2)
[zero_absorbing] preprocessing.StandardScaler().fit(X, sample_weight=p).transform(X)
[zero_absorbing] pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(solver="svd")).fit(X, y).predict(X2)
[zero_absorbing] pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(2, svd_solver="full")).fit_transform(X)
"""
"""On the graph, with the gradient that finite differences give, through ``fit`` too."""

CONSTANT = """
preprocessing.LabelEncoder().fit_transform(c)
preprocessing.LabelBinarizer().fit_transform(c)
discriminant_analysis.LinearDiscriminantAnalysis(solver="svd").fit(X, c).predict(X2)
naive_bayes.GaussianNB().fit(X, c).predict(X2)
metrics.accuracy_score(c, c2)
metrics.average_precision_score(c, u)
metrics.f1_score(c, c2)
metrics.confusion_matrix(c, c2)
"""
"""Off the graph, and rightly so: labels, ranks and counts."""

OTHERS: list[tuple[str, str, str]] = [
    (
        "nan",
        "scikit-learn divides by zero and replaces the result; zero_absorbing() gives the gradient, as the first table shows",
        """
preprocessing.StandardScaler().fit(X).transform(X)
preprocessing.StandardScaler().fit_transform(X)
preprocessing.StandardScaler().fit(X).inverse_transform(X2)
preprocessing.StandardScaler().fit(X, sample_weight=p).transform(X)
pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(solver="svd")).fit(X, y).predict(X2)
pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(2, svd_solver="full")).fit_transform(X)
""",
    ),
    (
        "warned",
        'scikit-learn returns float(...) of the score, which detaches, with a warning; multioutput="raw_values" does not',
        """
metrics.mean_squared_error(y, y2)
metrics.r2_score(y, y2)
metrics.mean_absolute_error(y, y2)
metrics.mean_poisson_deviance(p, p2)
metrics.mean_gamma_deviance(p, p2)
metrics.mean_tweedie_deviance(p, p2, power=1.5)
metrics.d2_tweedie_score(p, p2, power=1.5)
metrics.max_error(y, y2)
metrics.log_loss(c, stacked(u))
metrics.brier_score_loss(c, u)
metrics.d2_log_loss_score(c, stacked(u))
metrics.d2_brier_score(c, u)
metrics.hinge_loss(c, y)
metrics.davies_bouldin_score(X, c)
metrics.calinski_harabasz_score(X, c)
""",
    ),
    (
        "raises",
        "not ported to the array API: scikit-learn passes the input to NumPy or to compiled code",
        """
preprocessing.RobustScaler().fit_transform(X)
preprocessing.SplineTransformer().fit_transform(X)
preprocessing.PowerTransformer().fit_transform(X)
preprocessing.scale(X)
preprocessing.robust_scale(X)
impute.SimpleImputer().fit_transform(X)
decomposition.IncrementalPCA(2).fit_transform(X)
decomposition.FastICA(2, random_state=0, whiten="unit-variance").fit_transform(X)
linear_model.LinearRegression().fit(X, y).predict(X2)
linear_model.LogisticRegression().fit(X, c).decision_function(X2)
linear_model.Lasso().fit(X, y).predict(X2)
linear_model.PoissonRegressor().fit(X, p).predict(X2)
discriminant_analysis.QuadraticDiscriminantAnalysis().fit(X, c).decision_function(X2)
cluster.KMeans(2, random_state=0).fit(X).transform(X2)
neighbors.KNeighborsRegressor(3).fit(X, y).predict(X2)
svm.SVC().fit(X, c).decision_function(X2)
gaussian_process.GaussianProcessRegressor().fit(X, y).predict(X2)
covariance.EmpiricalCovariance().fit(X).covariance_
feature_selection.f_regression(X, y)
feature_selection.f_classif(X, c)
""",
    ),
    (
        "raises",
        "scikit-learn dispatches this solver to NumPy only, and says so",
        """
linear_model.Ridge(solver="cholesky").fit(X, y).predict(X2)
""",
    ),
    (
        "raises",
        "scikit-learn makes a NumPy array of its own and then finds two array libraries among its arguments",
        """
neural_network.MLPRegressor(max_iter=5).fit(X, y).predict(X2)
""",
    ),
    (
        "raises",
        "scikit-learn passes the order of xp.diff by position, which the standard does not allow",
        """
metrics.roc_auc_score(c, u)
""",
    ),
    (
        "raises",
        "scikit-learn asks for attributes of NumPy arrays that the standard has not",
        """
metrics.silhouette_score(X, c)
""",
    ),
    (
        "raises",
        "the solver is SciPy's, for NumPy arrays",
        """
decomposition.TruncatedSVD(2, algorithm="arpack", random_state=0).fit_transform(X)
""",
    ),
]
"""What does not reach, with the outcome and the reason, which is never polygrad's."""
