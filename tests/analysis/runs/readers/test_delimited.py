"""Text tables in every spelling, and what their numbers look like."""

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis.runs.readers import decimals
from scaling_jax.analysis.runs.readers import delimited
from scaling_jax.errors import UserError

RUN = {'N': '1e7', 'D': '1e9', 'loss': '2.5'}


def read(text):
  return delimited.read(text, 'x/runs.csv', name='runs.csv', stem='runs')


class SpellingTest(parameterized.TestCase):
  @parameterized.parameters(
    'N,D,loss\n1e7,1e9,2.5\n',
    'N,D,loss\r\n1e7,1e9,2.5\r\n',
    'N,D,loss\r1e7,1e9,2.5',
    'N\tD\tloss\n1e7\t1e9\t2.5\n',
    'N;D;loss\n1e7;1e9;2.5\n',
    'N|D|loss\n1e7|1e9|2.5\n',
    '| N | D | loss |\n|---|--:|:-:|\n| 1e7 | 1e9 | 2.5 |\n',
    'N   D     loss\n1e7 1e9   2.5\n',
    'sep=;\nN;D;loss\n1e7;1e9;2.5\n',
    '"sep=,"\r\nN,D,loss\r\n1e7,1e9,2.5\r\n',
    '# from a sweep, of May\n# a;b\nN,D,loss\n1e7,1e9,2.5\n',
    '# N D loss\n1e7 1e9 2.5\n',
    'Results of May\n\nN,D,loss\n1e7,1e9,2.5\n',
    'Results of May,,\n,,\nN,D,loss\n1e7,1e9,2.5\n',
    '\n  \n N , D,loss,\n\n"1e7", 1e9 ,2.5,\n,,,\n',
    'N,D,loss\n1e7,1e9,2.5,,\n',
  )
  def test_a_table(self, text):
    sheet = read(text)
    self.assertEqual(sheet.columns, ('N', 'D', 'loss'))
    (line,) = sheet.lines
    self.assertEqual((line.cells, line.fault), (RUN, ''))
    self.assertFalse(sheet.decimal_comma)
    self.assertEmpty(sheet.notes)

  def test_lines_are_numbered_as_in_the_file(self):
    sheet = read('# a\nsep=;\n\nN;note\n1;"a\nb"\n\n2;c\n')
    self.assertEqual([line.number for line in sheet.lines], [6, 8])
    self.assertEqual(sheet.lines[0].cells['note'], 'a\nb')

  def test_names_in_a_comment(self):
    sheet = read('# a sweep\n# run,N,loss\na,1,2\nb,3,4\n')
    self.assertEqual(sheet.columns, ('run', 'N', 'loss'))
    self.assertEqual([line.number for line in sheet.lines], [3, 4])

  def test_quotes_hold_delimiters(self):
    sheet = read('note,N\n"a, ""b"" ; c",1\n"d, e",2\n')
    self.assertEqual(sheet.lines[0].cells, {'note': 'a, "b" ; c', 'N': '1'})

  def test_wrong_number_of_cells(self):
    sheet = read('N,D,loss\n1,2\n1,2,3,4\n1,2,3\n')
    self.assertEqual(
      [bool(line.fault) for line in sheet.lines], [True, True, False]
    )
    self.assertIn('2 cells', sheet.lines[0].fault)
    self.assertIn('4 cells', sheet.lines[1].fault)

  def test_a_decimal_comma_is_not_taken_for_a_name_of_rows(self):
    sheet = read('N,loss\n1e7,2,5\n2e7,2,4\n')
    self.assertEqual(sheet.columns, ('N', 'loss'))
    self.assertTrue(all(line.fault for line in sheet.lines))

  @parameterized.parameters(' ', '\t')
  def test_names_of_rows_without_a_name(self, gap):
    text = '"N" "loss"\n"1" 1e7 2.5\n"2" 2e7 2.4\n'.replace(' ', gap)
    sheet = read(text)
    self.assertEqual(sheet.columns, ('', 'N', 'loss'))
    self.assertEqual(sheet.lines[1].cells, {'': '2', 'N': '2e7', 'loss': '2.4'})

  def test_a_name_twice(self):
    sheet = read('N,loss,N\n1,2,3\n')
    self.assertEqual(sheet.columns, ('N', 'loss', 'N'))
    self.assertEqual(sheet.lines[0].cells, {'N': '1', 'loss': '2'})

  @parameterized.parameters(
    ('loss, nats;N\n2,5;1e7\n', ';'),
    ('N;D;loss, nats\n1;2;2,5\n3;4;2,4\n', ';'),
    ('name\tconfig\tloss\na\tlr=1,wd=2,b=3,c=4\t2\n', '\t'),
    ('name,config\na,x;y;z\nb,x|y|z\n', ','),
    ('apples;pears,plums\n1,2\n', ','),
    ('N\n1\n2\n', ','),
  )
  def test_delimiter(self, text, delimiter):
    self.assertEqual(
      delimited.find_delimiter(text.splitlines(keepends=True)), delimiter
    )

  @parameterized.parameters('', '\n \n', 'N,D,loss\n', '# N,D\n', 'sep=;\n')
  def test_nothing_in_it(self, text):
    with self.assertRaisesRegex(UserError, r'x/runs\.csv is empty'):
      read(text)

  def test_a_cell_without_end(self):
    with self.assertRaisesRegex(UserError, 'field'):
      read('N,D,loss\n1,2,"' + 'x' * 200_000)


class DecimalsTest(parameterized.TestCase):
  @parameterized.parameters(
    '2,9134', '2,9', '0,125', ',5', '-3,25', '1,2e9', '1,234E-4', '1.234,567',
    '1.234.567', '1.234.567,8', '1234,567', '12,5 %', '1 234,5',
    '1\u202f234,5', '\u22121,5', "1'234,5",
  )  # fmt: skip
  def test_comma(self, cell):
    self.assertEqual(decimals.find([cell, 'cosine', '17']), (True, False))
    mirrored = cell.translate(str.maketrans(',.', '.,'))
    self.assertEqual(decimals.find([mirrored], ';'), (False, False))

  @parameterized.parameters((';', True), (',', False), ('\t', False))
  def test_a_cell_that_may_be_either(self, delimiter, comma):
    self.assertEqual(decimals.find(['2,913'], delimiter), (comma, False))

  @parameterized.parameters('1e9', '17', 'a,b', '2,913,x', '', '2024-01-02')
  def test_no_evidence(self, cell):
    self.assertEqual(decimals.find([cell], ';'), (False, False))

  def test_the_most_decide(self):
    self.assertEqual(decimals.find(['2,5', '2,6', '0.1']), (True, True))
    self.assertEqual(decimals.find(['2,5', '0.2', '0.1']), (False, True))

  def test_of_a_file(self):
    self.assertTrue(read('N,loss\n1e7,"3,25"\n').decimal_comma)
    self.assertFalse(read('N;loss\n1e7;3.25\n').decimal_comma)
    mixed = read('N;lr;loss\n1e7;0.1;3,25\n')
    self.assertTrue(mixed.decimal_comma)
    self.assertLen(mixed.notes, 1)


if __name__ == '__main__':
  absltest.main()
