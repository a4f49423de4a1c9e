export default {
  en: {
    edit: 'Edit',
    watch: 'Watch',
    screens: 'Screens',
    'other language': '한국어',
    'dark colors': 'Dark colors',
    'light colors': 'Light colors',
    close: 'Close',
    'server gone': 'The studio does not answer. Runs go on by themselves; start it again with `dlspec studio`.',
    'no token':
      'Open the address that `dlspec studio` printed in the terminal: it has a key in it that this page lacks.',
    skip: 'Skip to the content',
    overwrite: '{file} is there already, or was changed by another program. Overwrite it?',
  },
  ko: {
    edit: '편집',
    watch: '훈련 보기',
    screens: '화면',
    'other language': 'English',
    'dark colors': '어두운 색',
    'light colors': '밝은 색',
    close: '닫기',
    'server gone': '스튜디오가 응답하지 않습니다. 훈련은 계속됩니다. `dlspec studio`로 다시 시작하세요.',
    'no token': '터미널에 `dlspec studio`가 출력한 주소를 여세요. 그 주소에 이 페이지에 필요한 열쇠가 들어 있습니다.',
    skip: '본문으로 건너뛰기',
    overwrite: '{file} 파일이 이미 있거나 다른 프로그램이 바꾸었습니다. 덮어쓸까요?',
  },
}
