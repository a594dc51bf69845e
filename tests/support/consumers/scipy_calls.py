"""The calls of SciPy that are tried, and what becomes of each. ``SCIPY_ARRAY_API=1`` has to be set before SciPy is imported.

``[allow_detach]`` and ``[zero_absorbing]`` name the mode in which a call is made.
"""

from __future__ import annotations

VERSION = "1.17"
"""What the tables were made with; SINCE says what a newer release changes. Older ones are skipped; with one newer still more may reach."""

GRADIENT = """
stats.alexandergovern(x, y, w).statistic
stats.alexandergovern(x, y, w).pvalue
stats.bartlett(x, y, w).statistic
stats.bartlett(x, y, w).pvalue
stats.boxcox_llf(0.5, p)
stats.chisquare(p).statistic
stats.chisquare(p).pvalue
stats.circmean(x)
stats.circstd(x)
stats.circvar(x)
stats.combine_pvalues(u).statistic
stats.combine_pvalues(u).pvalue
stats.combine_pvalues(u, method="stouffer").pvalue
stats.combine_pvalues(u, method="pearson").pvalue
stats.combine_pvalues(u, method="tippett").pvalue
stats.combine_pvalues(u, method="mudholkar_george").pvalue
stats.describe(x)
stats.describe(A, axis=1).variance
stats.differential_entropy(x)
stats.differential_entropy(x, method="van es")
stats.differential_entropy(x, method="ebrahimi")
stats.differential_entropy(x, method="correa")
stats.directional_stats(A).mean_direction
stats.directional_stats(A).mean_resultant_length
stats.entropy(p)
stats.entropy(p, q)
stats.entropy(p, base=2)
stats.epps_singleton_2samp(x, y).statistic
stats.epps_singleton_2samp(x, y).pvalue
stats.f_oneway(x, y, w).statistic
stats.f_oneway(x, y, w).pvalue
stats.f_oneway(x, y, equal_var=False).statistic
stats.false_discovery_control(u)
stats.gmean(p)
stats.gmean(p, weights=q)
stats.gstd(p)
stats.gzscore(p)
stats.hmean(p)
stats.hmean(p, weights=q)
stats.pmean(p, 3)
stats.pmean(p, 2.5, weights=q)
stats.iqr(x)
stats.iqr(x, scale="normal")
stats.jarque_bera(x).statistic
stats.jarque_bera(x).pvalue
stats.kstat(x, 1)
stats.kstat(x, 2)
stats.kstat(x, 3)
stats.kstat(x, 4)
stats.kstatvar(x, 1)
stats.kstatvar(x, 2)
stats.kurtosis(x)
stats.kurtosis(x, bias=False)
stats.kurtosistest(x).statistic
stats.kurtosistest(x).pvalue
stats.levene(x, y).statistic
stats.levene(x, y).pvalue
stats.levene(x, y, center="mean").pvalue
stats.levene(x, y, center="trimmed").statistic
stats.lmoment(x)
stats.lmoment(x, order=2)
stats.median_abs_deviation(x)
stats.median_abs_deviation(x, scale="normal")
stats.moment(x, 3)
stats.moment(x, 2, center=0.5)
stats.normaltest(x25).statistic
stats.normaltest(x25).pvalue
stats.pearsonr(x, y).statistic
stats.pearsonr(x, y).pvalue
stats.pearsonr(x, y).confidence_interval()
stats.power_divergence(p, lambda_="log-likelihood").statistic
stats.power_divergence(p, lambda_="freeman-tukey").statistic
stats.power_divergence(p, lambda_="cressie-read").pvalue
stats.power_divergence(p, lambda_="neyman").statistic
stats.quantile(x, 0.3)
stats.quantile(x, u[:3])
stats.quantile(x, 0.3, method="hazen")
stats.quantile(x, 0.3, method="harrell-davis")
stats.sem(x)
stats.sem(A, axis=1, ddof=0)
stats.sigmaclip(x, 1.5, 1.5).clipped
stats.skew(x)
stats.skew(x, bias=False)
stats.skewtest(x).statistic
stats.skewtest(x).pvalue
stats.tmax(x, 1.0)
stats.tmin(x, -1.0)
stats.tmean(x, (-1, 1))
stats.trim_mean(x, 0.1)
stats.ttest_1samp(x, 0.1).statistic
stats.ttest_1samp(x, 0.1).pvalue
stats.ttest_1samp(x, 0.1).confidence_interval()
stats.ttest_ind(x, y).statistic
stats.ttest_ind(x, y).pvalue
stats.ttest_ind(x, y, equal_var=False).pvalue
stats.ttest_ind(x, y, alternative="less").pvalue
stats.ttest_ind_from_stats(h, s, 10, s2, s3, 12).statistic
stats.ttest_ind_from_stats(h, s, 10, s2, s3, 12).pvalue
stats.ttest_rel(x, y).statistic
stats.ttest_rel(x, y).pvalue
stats.variation(p)
stats.variation(p, ddof=1)
stats.yeojohnson_llf(0.5, x)
stats.yeojohnson_llf(h, x)
stats.zmap(x, y)
stats.zscore(x)
stats.zscore(A, axis=1, ddof=1)
stats.zscore(x, nan_policy="omit")
stats.skew(A, axis=1)
stats.bootstrap((x,), mean, n_resamples=20, rng=0, vectorized=True).standard_error
stats.bootstrap((x,), mean, n_resamples=20, rng=0, vectorized=True, method="percentile").confidence_interval
stats.monte_carlo_test(x, normal_sample, mean, n_resamples=20).statistic
stats.permutation_test((x, y), difference_of_means, n_resamples=20, rng=0).statistic
stats.mstats.gmean(p)
stats.mstats.zscore(x)
stats.power_divergence(p, q * xsum(p) / xsum(q)).statistic
[zero_absorbing] stats.tvar(x, (-1, 1))
[zero_absorbing] stats.tstd(x, (-1, 1))
[zero_absorbing] stats.tsem(x, (-1, 1))
[allow_detach] stats.ks_1samp(x, special.ndtr).statistic
[allow_detach] stats.cramervonmises(x, special.ndtr).statistic
stats.mstats.hmean(p)
stats.mstats.zmap(x, y)
stats.mstats.chisquare(p).statistic
stats.zscore(A, axis=None)
stats.kurtosis(A, axis=1)
stats.describe(A, axis=None).skewness
stats.iqr(A, axis=1, rng=(10, 90))
stats.entropy(A * A, axis=1)
stats.ttest_ind(A, A[::-1], axis=1).pvalue
stats.pearsonr(A, A[::-1], axis=1).statistic
stats.trim_mean(A, 0.2, axis=1)
stats.circmean(A, axis=0)
stats.moment(A, [2, 3], axis=1)
stats.quantile(A, 0.4, axis=1)
stats.gmean(A * A, axis=0)
stats.sem(A, axis=None)
[zero_absorbing] stats.zscore(N, nan_policy="omit", axis=1)

special.bdtr(3, 7, u)
special.bdtrc(3, 7, u)
special.bdtri(3, 7, u)
special.betainc(1.5, 2.0, u)
special.betainc(p, q, u)
special.betaincc(1.5, 2.0, u)
special.betaincinv(1.5, 2.0, u)
special.betaincinv(p, q, u)
special.betaln(p, q)
special.binom(p, q)
special.boxcox(p, h)
special.boxcox1p(p, h)
special.cbrt(p)
special.chdtr(2.5, p)
special.chdtr(q, p)
special.chdtrc(2.5, p)
special.chdtri(2.5, u)
special.cosdg(x)
special.cosm1(x)
special.cotdg(p)
special.digamma(p)
special.ellipk(u)
special.ellipkm1(u)
special.entr(p)
special.erf(x)
special.erfc(x)
special.erfcx(x)
special.erfinv(u)
special.exp1(p)
special.exp10(x)
special.exp2(x)
special.expi(p)
special.expit(x)
special.expn(2, p)
special.exprel(x)
special.fdtr(2.0, 5.0, p)
special.fdtrc(2.0, 5.0, p)
special.fdtri(2.0, 5.0, u)
special.gamma(p)
special.gammainc(1.7, p)
special.gammainc(q, p)
special.gammaincc(1.7, p)
special.gammainccinv(1.7, u)
special.gammaincinv(1.7, u)
special.gammaln(p)
special.gdtr(p, 2.0, q)
special.gdtr(1.2, q, p)
special.gdtrc(p, 2.0, q)
special.huber(p, x)
special.hyp1f1(0.5, 1.5, x)
special.i0(x)
special.i0e(x)
special.i1(x)
special.i1e(x)
special.inv_boxcox(u, h)
special.inv_boxcox1p(u, h)
special.j0(x)
special.j1(x)
special.k0(p)
special.k0e(p)
special.k1(p)
special.k1e(p)
special.kl_div(p, q)
special.log_ndtr(x)
special.log_softmax(x)
special.loggamma(p)
special.logit(u)
special.logsumexp(x)
special.logsumexp(A, axis=1, b=0.5)
special.logsumexp(x, b=y, return_sign=True)
special.multigammaln(p + 3, 3)
special.nbdtr(3, 4, u)
special.nbdtrc(3, 4, u)
special.nbdtri(3, 4, u)
special.ndtr(x)
special.ndtri(u)
special.pdtr(2, p)
special.pdtrc(2, p)
special.pdtri(2, u)
special.poch(p, q)
special.polygamma(1, p)
special.pseudo_huber(p, x)
special.psi(p)
special.radian(x, y, w)
special.rel_entr(p, q)
special.rgamma(x)
special.sinc(x)
special.sindg(x)
special.softmax(x)
special.spence(p)
special.stdtr(3.0, x)
special.stdtr(p, x)
special.stdtrit(threes, u)
special.zeta(p + 1.5)
special.zeta(p + 1.5, q)
special.zetac(p + 1.5)
special.lpmv(1, 3, u)
special.elliprd(p, q, u)
special.elliprg(p, q, u)
special.elliprj(p, q, u, s)
special.log_wright_bessel(0.5, 1.0, u)
special.it2j0y0(p)
special.kelvin(p)
special.mathieu_a(2, p)
special.smirnov(5, u)
special.smirnovi(5, u)
special.kolmogorov(p)
special.kolmogi(u)
special.tklmbda(u, 0.5)
special.nctdtr(3.0, 0.5, x)
special.chndtr(p, 2.0, 0.5)
special.ncfdtr(2.0, 5.0, 0.5, p)
special.tandg(x)
special.xlog1py(p, q)
special.xlogy(p, q)
special.y0(p)
special.y1(p)
special.yn(2, p)
special.agm(p, q)
special.airy(x)
special.beta(p, q)
special.dawsn(x)
special.ellipe(u)
special.ellipeinc(x, u)
special.ellipj(x, u)
special.ellipkinc(x, u)
special.elliprf(p, q, u)
special.elliprc(p, q)
special.erfcinv(u)
special.erfi(x)
special.eval_chebyt(3, u)
special.eval_chebyu(3, u)
special.eval_gegenbauer(3, 0.7, u)
special.eval_genlaguerre(3, 0.7, u)
special.eval_hermite(3, x)
special.eval_hermitenorm(3, x)
special.eval_jacobi(3, 0.5, 0.7, u)
special.eval_laguerre(3, x)
special.eval_legendre(3, u)
special.eval_sh_legendre(3, u)
special.fresnel(x)
special.hankel1(1, p)
special.hyp2f1(0.5, 0.7, 1.5, u)
special.hyp0f1(1.5, x)
special.iv(0.5, p)
special.ive(0.5, p)
special.jv(0.5, p)
special.jve(0.5, p)
special.kv(0.5, p)
special.kve(0.5, p)
special.yv(0.5, p)
special.kn(2, p)
special.lambertw(p).real
special.log1p(p)
special.expm1(x)
special.log_expit(x)
special.softplus(x)
special.ndtri_exp(-p)
special.owens_t(x, y)
special.powm1(p, q)
special.shichi(p)
special.sici(p)
special.struve(0.5, p)
special.voigt_profile(x, p, q)
special.wofz(z)
special.wright_bessel(0.5, 1.0, u)
special.wrightomega(x)
special.modstruve(0.5, p)
special.itj0y0(p)
special.ber(p)
special.bei(p)
special.pbdv(0.5, p)
special.softmax(A, axis=1)
special.log_softmax(A, axis=0)
special.logsumexp(A, axis=(0, 1))
special.logsumexp(z)
special.expit(A)

fft.dct(x)
fft.dct(x, type=1)
fft.dct(x, type=3, norm="ortho")
fft.dct(x, type=4)
fft.dst(x)
fft.dst(x, type=1)
fft.idct(x)
fft.idst(x, norm="ortho")
fft.dctn(A)
fft.idctn(A, axes=(0,))
fft.dstn(A)
fft.idstn(A, norm="ortho")
fft.dct(A, n=8, axis=0)
fft.fft(z)
fft.fft(x)
fft.fft2(A)
fft.fftn(A)
fft.fftshift(x)
fft.ifftshift(x)
fft.fht(p, 0.1, 0.5)
fft.ifht(p, 0.1, 0.5)
fft.hfft(z)
fft.hfft2(Z)
fft.hfftn(Z)
fft.ifft(z)
fft.ifft2(Z)
fft.ifftn(Z)
fft.ihfft(x)
fft.ihfft2(A)
fft.ihfftn(A)
fft.irfft(z)
fft.irfft2(Z)
fft.irfftn(Z)
fft.rfft(x)
fft.rfft2(A)
fft.rfftn(A, norm="ortho")
fft.rfft(x, n=20)
fft.dct(z)
fft.dctn(T)
fft.fft(A, axis=0, n=9)

signal.abcd_normalize(K, C1, D1, D2)
signal.bilinear_zpk(zeros, poles, s, 2.0)
signal.convolve(x, y, method="fft", mode="same")
signal.correlate(x, y, method="fft", mode="same")
signal.envelope(x25)
signal.fftconvolve(x, y)
signal.fftconvolve(A, K, mode="same")
signal.oaconvolve(x25, b)
signal.oaconvolve(A, K)
signal.freqs(b, a, u)
signal.freqs_zpk(zeros, poles, s, u)
signal.freqz(b, a, u)[1]
signal.freqz(b)[1]
signal.freqz_zpk(zeros, poles, s, u)[1]
signal.gauss_spline(x, 3)
signal.group_delay((b, a), u)[1]
signal.hilbert(x)
signal.hilbert2(A)
signal.lfiltic(b, a, x[:2])
signal.lp2bp(b, a, 2.0, 0.5)
signal.lp2bp_zpk(zeros, poles, s, 2.0, 0.5)
signal.lp2bs(b, a, 2.0, 0.5)
signal.lp2bs_zpk(zeros, poles, s, 2.0, 0.5)
signal.lp2hp(b, a, 2.0)
signal.lp2hp_zpk(zeros, poles, s, 2.0)
signal.lp2lp(b, a, 2.0)
signal.lp2lp_zpk(zeros, poles, s, 2.0)
signal.minimum_phase(taps)
signal.normalize(b, a)
signal.resample(x, 8)
signal.resample(x, 20)
signal.resample(A, 9, axis=1)
signal.sos2zpk(sos)
signal.tf2zpk(b, a)
signal.vectorstrength(p, 0.7)
signal.vectorstrength(p, q)
signal.gausspulse(x, fc=5)
signal.freqz(b, a, 16)[1]
signal.lp2hp(a, b, 1.5)
signal.hilbert(A, axis=0)
signal.fftconvolve(T, T, axes=(1, 2))
signal.resample(z, 12)

integrate.trapezoid(x)
integrate.trapezoid(x, u)
integrate.trapezoid(A, dx=0.3, axis=0)
integrate.cumulative_trapezoid(x)
integrate.cumulative_trapezoid(x, u, initial=0)
integrate.cumulative_simpson(x)
integrate.cumulative_simpson(x, x=u)
integrate.romb(nine, dx=0.1)
integrate.tanhsinh(gaussian, h, s).integral
integrate.tanhsinh(lambda t: gaussian(t, s), -1.0 + 0 * h, 1.0 + 0 * h).integral
integrate.cubature(lambda t: gaussian_n(t, s), low2, high2).estimate
integrate.fixed_quad(lambda t: t * s, 0, 1)[0]
integrate.quad_vec(lambda t: t * s, 0, 1)[0]
integrate.qmc_quad(lambda t: gaussian_n(t, s, 0), low2, high2, n_points=8, n_estimates=2, qrng=stats.qmc.Halton(2, rng=0)).integral
integrate.cumulative_simpson(A, dx=0.1, axis=0)
integrate.cumulative_trapezoid(A, axis=0)
integrate.trapezoid(z)
integrate.nsum(lambda k: s ** k, 1 + 0 * h, 20 + 0 * h).sum
[zero_absorbing] integrate.tanhsinh(lambda t: gaussian(t, s), -inf + 0 * h, inf + 0 * h).integral
[zero_absorbing] integrate.nsum(lambda k: 1 / k ** (2 + s), 1 + 0 * s, inf).sum

linalg.block_diag(K, M)
linalg.fiedler(x)
linalg.orthogonal_procrustes(B, B2)
linalg.hilbert(3) * s

optimize.rosen(x)
optimize.rosen_der(x)
optimize.rosen_hess(x)
optimize.rosen_hess_prod(x, y)
optimize.elementwise.find_root(lambda t: t * t - s, (0.0 * s, 2.0 + 0.0 * s)).x
optimize.elementwise.find_root(parabola, (zero12, three12), args=(p,)).x
optimize.elementwise.find_minimum(bowl, (zero12 - 2, zero12, three12 + 1), args=(p,)).x
optimize.elementwise.find_minimum(bowl, (zero12 - 2, zero12, three12 + 1), args=(p,)).f_x
optimize.elementwise.bracket_root(parabola, zero12, args=(p,)).bracket
optimize.elementwise.bracket_minimum(bowl, zero12, args=(p,)).bracket
optimize.rosen_hess(x[:4])
optimize.elementwise.find_root(parabola, (zero12, three12), args=(p,)).f_x

differentiate.derivative(cube, x).df
differentiate.derivative(cube, x, args=(p,)).df
differentiate.jacobian(curve, x[:3]).df
differentiate.hessian(optimize.rosen, x[:3]).ddf

vq.whiten(A)

Rotation.from_quat(quat).as_matrix()
Rotation.from_quat(quat).as_quat()
Rotation.from_rotvec(points).as_matrix()
Rotation.from_rotvec(points).as_quat()
Rotation.from_matrix(Rotation.from_quat(quat).as_matrix()).as_rotvec()
Rotation.from_euler("zyx", points).as_matrix()
Rotation.from_euler("zyx", points).as_euler("xyz")
Rotation.from_quat(quat).as_euler("ZYX")
Rotation.from_mrp(points).as_matrix()
Rotation.from_quat(quat).as_mrp()
Rotation.from_quat(quat).apply(points)
Rotation.from_quat(quat).apply(points, inverse=True)
Rotation.from_quat(quat).inv().as_matrix()
(Rotation.from_quat(quat) * Rotation.from_rotvec(points)).as_matrix()
(Rotation.from_quat(quat) ** 2.5).as_rotvec()
Rotation.from_quat(quat).magnitude()
Rotation.from_quat(quat).mean().as_matrix()
Rotation.from_quat(quat)[1:3].as_matrix()
Rotation.concatenate([Rotation.from_quat(quat), Rotation.from_rotvec(points)]).as_matrix()
Rotation.align_vectors(points, points2)[0].as_matrix()
Rotation.from_quat(quat).as_davenport(AXES, "extrinsic")
Rotation.from_quat(quat).mean(weights=[1.0, 2.0, 1.0, 1.0, 1.0]).as_matrix()
Rotation.from_quat(quat).as_rotvec(degrees=True)
Rotation.from_euler("xyz", points, degrees=True).as_quat()
Rotation.from_quat(quat).as_quat(canonical=True)

RigidTransform.from_rotation(Rotation.from_quat(quat)).as_matrix()
RigidTransform.from_components(points, Rotation.from_quat(quat)).apply(points2)
RigidTransform.from_exp_coords(six).as_matrix()
RigidTransform.from_components(points, Rotation.from_quat(quat)).as_exp_coords()
RigidTransform.from_components(points, Rotation.from_quat(quat)).as_dual_quat()
RigidTransform.from_components(points, Rotation.from_quat(quat)).inv().as_matrix()
RigidTransform.from_translation(points).as_matrix()
RigidTransform.concatenate([RigidTransform.from_exp_coords(six), RigidTransform.from_translation(points)]).as_matrix()
RigidTransform.from_exp_coords(six).mean().as_matrix()
(RigidTransform.from_exp_coords(six) ** 0.5).as_matrix()
(RigidTransform.from_exp_coords(six) * RigidTransform.from_translation(points)).as_matrix()
RigidTransform.from_exp_coords(six)[1:3].as_matrix()
RigidTransform.from_dual_quat(RigidTransform.from_exp_coords(six).as_dual_quat()).as_matrix()
RigidTransform.from_matrix(RigidTransform.from_exp_coords(six).as_matrix()).as_components()[0]

Slerp([0, 1, 2, 3, 4], Rotation.from_quat(quat))([0.5, 1.5]).as_matrix()

constants.convert_temperature(x, "C", "F")
constants.lambda2nu(p)
constants.nu2lambda(p)
"""
"""On the graph, with the gradient that finite differences give."""

CONSTANT = """
stats.ansari(x, y).pvalue
stats.brunnermunzel(x, y).statistic
stats.brunnermunzel(x, y).pvalue
stats.chatterjeexi(x, y).statistic
stats.cramervonmises_2samp(x, y).statistic
stats.fligner(x, y).statistic
stats.friedmanchisquare(x, y, w).statistic
stats.kruskal(x, y).statistic
stats.mannwhitneyu(x, y).statistic
stats.mood(x, y).statistic
stats.rankdata(x)
stats.spearmanr(x, y).statistic
stats.spearmanrho(x, y).statistic
stats.wilcoxon(x, y).statistic
stats.monte_carlo_test(x, normal_sample, mean, n_resamples=20).pvalue
stats.ks_2samp(x, y).statistic

special.gammasgn(x)
special.round(x)
special.gammasgn(p)

signal.choose_conv_method(x, y)
signal.firls(9, [0, 0.3, 0.5, 1], [1, 1, 0, 0])
signal.firwin(9, 0.4)
signal.savgol_coeffs(5, 2, deriv=1)
signal.get_window("hann", 8)
signal.butter(2, 0.3)
signal.gammatone(440, "iir", fs=16000)
signal.windows.hann(8)

Rotation.from_quat(quat).approx_equal(Rotation.from_quat(quat))

ndimage.label(A > 0)
"""
"""Off the graph, and rightly so: ranks, signs and numbers of samples are locally constant, and so is what goes by numbers alone."""

OTHERS: list[tuple[str, str, str]] = [
    (
        "raises",
        "SciPy passes the input through numpy.asarray into compiled or NumPy code, also for arrays of other libraries",
        """
stats.cramervonmises(x, special.ndtr).statistic
stats.cramervonmises(x, special.ndtr).pvalue
stats.ks_1samp(x, special.ndtr).statistic
stats.ks_1samp(x, special.ndtr).pvalue
stats.boxcox(p, 0.5)
stats.yeojohnson(x, 0.5)
stats.linregress(x, y).slope
stats.multivariate_normal(low2, D2 @ D2.T + np.eye(2)).logpdf(B)
stats.norm.pdf(x)
stats.norm.logpdf(x)
stats.norm.cdf(x)
stats.gaussian_kde(x)(y)
stats.Normal(mu=h, sigma=s).logpdf(x)
stats.kendalltau(x, y).statistic
stats.wasserstein_distance(x, y)
stats.energy_distance(x, y)
stats.expectile(x, 0.7)
stats.obrientransform(x, y)
stats.trimboth(x, 0.1)
stats.trim1(x, 0.1)
stats.linregress(x, y).intercept
stats.theilslopes(x, y)

special.spherical_jn(2, p)
special.spherical_yn(2, p)
special.sph_harm_y(2, 1, u, x).real
special.perm(p + 3, q)
special.comb(p + 3, q)
special.diric(x, 5)

signal.bilinear(b, a)
signal.convolve(x, y)
signal.convolve(x, y, method="direct")
signal.convolve2d(A, K)
signal.correlate(x, y)
signal.correlate2d(A, K)
signal.cspline1d(x)
signal.cspline1d_eval(x, u)
signal.deconvolve(x, b)
signal.detrend(x)
signal.detrend(x, type="constant")
signal.filtfilt(b, a, x25)
signal.lfilter(b, a, x)
signal.lfilter_zi(b, a)
signal.medfilt(x, 3)
signal.medfilt2d(A, 3)
signal.order_filter(A, block, 1)
signal.periodogram(x)[1]
signal.welch(x25, nperseg=8)[1]
signal.csd(x, y, nperseg=8)[1]
signal.coherence(x25, x25, nperseg=8)[1]
signal.stft(x25, nperseg=8)[2]
signal.spectrogram(x25, nperseg=8)[2]
signal.lombscargle(u, x, y)
signal.qspline1d(x)
signal.resample_poly(x, 3, 2)
signal.savgol_filter(x, 5, 2)
signal.sos2tf(sos)
signal.sosfilt(sos, x)
signal.sosfiltfilt(sos, x25)
signal.sosfilt_zi(1.25 * sos)
signal.spline_filter(A)
signal.tf2sos(b, a)
signal.upfirdn(b, x, 2, 1)
signal.wiener(x, 3)
signal.zpk2sos(zeros, poles, s)
signal.zpk2tf(zeros, poles, s)
signal.czt(x)
signal.chirp(u, 1.0, 1.0, 5.0)
signal.sawtooth(x)
signal.square(x)
signal.decimate(x25, 2)
signal.residue(b, a)
signal.qspline1d_eval(x, u)
signal.cspline2d(A)
signal.impulse((b, a), T=u)[1]
signal.cont2discrete((K, C1, D1.T @ D2 @ C1.T, D2), 0.1)[0]
signal.detrend(x, overwrite_data=False)

integrate.simpson(x)
integrate.simpson(x, u)
integrate.simpson(A, dx=0.2, axis=1)
integrate.solve_ivp(lambda t, v: -s * v, (0, 1), [1.0]).y

linalg.inv(M)
linalg.solve(M, M[:, 0])
linalg.det(M)
linalg.expm(M)
linalg.svdvals(A)
linalg.eigvalsh(P)
linalg.cholesky(P)
linalg.qr(M)
linalg.lu(M)
linalg.norm(A)
linalg.pinv(A)
linalg.hankel(x)
linalg.companion(b)
linalg.khatri_rao(K, K)
linalg.lstsq(A.T, x[:6])[0]
linalg.logm(P)
linalg.sqrtm(P)
linalg.solve_triangular(M, M[:, 0])

vq.vq(B, B[:2])[1]
vq.kmeans(B, B[:2])[0]
vq.kmeans2(B, B[:2])[0]

hierarchy.linkage(B)
hierarchy.ward(B)
hierarchy.average(B)

distance.pdist(B)
distance.cdist(B, B[:2])
distance.euclidean(x, y)
distance.cosine(x, y)
distance.squareform(x[:6])
distance.jensenshannon(p, q)

Rotation.from_davenport(AXES, "extrinsic", points).as_matrix()

ndimage.gaussian_filter(A, 1.0)
ndimage.convolve(A, K)
ndimage.mean(A)
ndimage.sum(A)
ndimage.variance(A)
ndimage.center_of_mass(A)
ndimage.fourier_gaussian(Z, 1.0)
ndimage.zoom(A, 2)
ndimage.vectorized_filter(A, mean, size=3)
ndimage.uniform_filter(A, 3)
ndimage.maximum_filter(A, 3)
ndimage.map_coordinates(A, A[:2])
ndimage.laplace(A)
ndimage.sobel(A)
ndimage.shift(A, 1)
ndimage.rotate(A, 30)
ndimage.median(A)
ndimage.maximum(A)
ndimage.standard_deviation(A)
ndimage.gaussian_filter1d(x, 1.0)
ndimage.gaussian_laplace(A, 1.0)
ndimage.grey_dilation(A, 3)
ndimage.spline_filter(A)
ndimage.median_filter(A, 3)
ndimage.correlate1d(x, b)

interpolate.CubicSpline(u, x)(0.5)
interpolate.PchipInterpolator(u, x)(0.5)
interpolate.Akima1DInterpolator(u, x)(0.5)
interpolate.make_interp_spline(u, x)(0.5)
interpolate.BSpline(u, x[:8], 3)(0.5)
interpolate.interp1d(u, x)(0.5)
interpolate.pchip(u, x)(0.5)
interpolate.PPoly(K, u[:4])(0.3)
interpolate.BPoly(K, u[:4])(0.3)
interpolate.CubicHermiteSpline(u, x, y)(0.5)
interpolate.make_lsq_spline(u, x, u)(0.5)
interpolate.make_smoothing_spline(u, x)(0.5)
interpolate.make_splrep(u, x)(0.5)
interpolate.griddata(B, x[:5], B)
interpolate.lagrange(u[:4], x[:4])
""",
    ),
    (
        "raises",
        "SciPy makes a NumPy array of its own and then finds two array libraries among its arguments",
        """
signal.detrend(A, axis=1, bp=[3])
signal.freqz_sos(SOS, u)[1]
signal.place_poles(K, C1, [-1, -2, -3]).gain_matrix

ndimage.affine_transform(A, np.eye(2))

interpolate.RegularGridInterpolator((np.arange(4.0), np.arange(6.0)), A)(B[:3])
""",
    ),
    (
        "raises",
        "SciPy asks for attributes of NumPy arrays that the standard has not",
        """
linalg.toeplitz(x)
linalg.bandwidth(M)
linalg.issymmetric(M)
""",
    ),
    (
        "raises",
        "SciPy reinterprets the memory of its array, which the standard has no function for",
        """
interpolate.RBFInterpolator(B, x[:5])(B + 0.1)
""",
    ),
    (
        "raises",
        "SciPy implements it for NumPy arrays only, and says so",
        """
stats.ttest_ind(x, y, trim=0.1).statistic
""",
    ),
    (
        "raises",
        "no derivative is known with respect to this argument; the value is computed, and the backward pass says so",
        """
stats.mode(x).mode

""",
    ),
    (
        "warned",
        "SciPy wants Python floats from the integrand; polygrad warns that float() detaches",
        """
integrate.quad(lambda t: float(t * s), 0, 1)[0]

optimize.brentq(lambda t: float(t * t - s), 0, 2)
""",
    ),
    (
        "partly",
        "SciPy takes math.log of the parameter, which detaches a part of the result; polygrad warns that float() detaches",
        """
stats.boxcox_llf(h, p)
""",
    ),
    (
        "nan",
        "SciPy masks a nan or an infinity, times which a zero cotangent is nan, in torch too; zero_absorbing() gives the gradient",
        """
stats.tvar(x, (-1, 1))
stats.tstd(x, (-1, 1))
stats.tsem(x, (-1, 1))
stats.zscore(N, nan_policy="omit", axis=1)

integrate.tanhsinh(lambda t: gaussian(t, s), -inf + 0 * h, inf + 0 * h).integral
integrate.nsum(lambda k: 1 / k ** (2 + s), 1 + 0 * s, inf).sum
""",
    ),
    (
        "differs",
        "SciPy's portable implementation disagrees with its own for NumPy arrays, on every library",
        """
Rotation.from_quat(quat).reduce(Rotation.from_rotvec(points[:1])).as_matrix()
""",
    ),
    (
        "differs",
        "SciPy ignores nan_policy for arrays of any library but NumPy",
        """
stats.skew(N, nan_policy="omit", axis=1)
stats.gmean(N * N, nan_policy="omit", axis=1)
stats.ttest_1samp(N, 0.0, nan_policy="omit", axis=1).statistic
stats.variation(N, nan_policy="omit", axis=1)
""",
    ),
]
"""What does not reach, with the outcome and the reason, which is never polygrad's."""

SINCE = {
    "1.18": {
        "gradient": """
stats.expectile(x, 0.7)
stats.linregress(x, y).intercept
stats.linregress(x, y).slope
stats.obrientransform(x, y)
stats.theilslopes(x, y)
stats.ttest_ind(x, y, trim=0.1).statistic

signal.lfilter_zi(b, a)
signal.sawtooth(x)
signal.sosfilt_zi(1.25 * sos)

integrate.simpson(x)
integrate.simpson(x, u)
integrate.simpson(A, dx=0.2, axis=1)
""",
        "constant": """
signal.square(x)
""",
    },
}
"""The outcomes of OTHERS that a newer release of SciPy has changed: by the release and the new outcome."""

VMAP_SINCE = {"1.18": ("stats.ttest_1samp(x, 0.1).pvalue", "stats.skew(x)", "stats.gmean(np.exp(x))")}
"""The calls that raise inside vmap from a release on: before it, what decides on nan in ``scipy.stats`` let arrays pass that have no
single truth value; now it asks them for one, but for JAX's, which it knows by name. Over an axis, without vmap, they reach."""


def release(version: str) -> tuple[int, ...]:
    """The first two numbers of a version, to be compared."""
    return tuple(int(number) for number in version.split(".")[:2])


RELEASES = {release(VERSION), *map(release, SINCE)}
"""The releases of which the outcomes are known."""


def others(version: str) -> list[tuple[str, str]]:
    """The calls of OTHERS in a version of SciPy, each after its outcome there."""
    calls = {text: outcome for outcome, _, texts in OTHERS for text in listed(texts)}
    for since, changes in SINCE.items():
        changed = {text: outcome for outcome, texts in changes.items() for text in listed(texts)}
        assert calls.keys() >= changed.keys()
        if release(version) >= release(since):
            calls |= changed
    return [(outcome, text) for text, outcome in calls.items()]


def listed(text: str) -> list[str]:
    """The calls of a table."""
    return [line for line in text.splitlines() if line]
