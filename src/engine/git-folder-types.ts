/** A commit of a repository, and a folder or file in it. */
export interface GitPlace {
  readonly remote: string;
  readonly commit: string;
  /** Empty for the whole repository. */
  readonly subdir: string;
}

/** Git repositories as folders of this machine, outside of builds. */
export interface GitFolders {
  /** What a URL such as `https://host/repo.git#ref:folder` stands for now. Fails with GIT_URL_INVALID, GIT_REF_NOT_FOUND and GIT_FAILED. */
  resolve(url: string, options?: { readonly signal?: AbortSignal }): Promise<GitPlace>;
  /** Writes the files of a commit into a folder that is not there yet; it is there whole, or not at all. */
  checkOut(place: GitPlace, folder: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
